// Command image assembles the container image from prebuilt binaries, without a
// container engine and without pulling anything: an OCI image layout with one
// image per platform, an archive for `docker load`, or a push to a registry.
//
// The same input gives the same bytes: files are in order, owned by root and
// dated as the commit. The Dockerfile describes the same image for those who
// build with an engine; a test holds the two against each other.
package main

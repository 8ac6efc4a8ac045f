// Command image assembles the container image from prebuilt binaries, without a
// container engine and without pulling anything. The result is an OCI image layout
// with one image per platform, an archive for `docker load`, or a push to a
// registry.
//
// The same input gives the same bytes: files are sorted, owned by root, and have
// the commit's date. The Dockerfile describes the same image for people who use a
// container engine; a test compares the two.
package main

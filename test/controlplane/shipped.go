package controlplane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Shipped are the objects in files of the repository's config folder, in their
// order: Shipped(t, "rbac/role.yaml").
func Shipped(t T, files ...string) []*unstructured.Unstructured {
	t.Helper()
	root, err := RepositoryRoot()
	if err != nil {
		t.Fatalf("%v", err)
	}
	var out []*unstructured.Unstructured
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(root, "config", file))
		if err != nil {
			t.Fatalf("%v", err)
		}
		objects, err := parse(content)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, objects...)
	}
	return out
}

func parse(content []byte) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), len(content)); ; {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case len(object.Object) > 0:
			out = append(out, object)
		}
	}
}

// FreePort is a port of the loopback interface that was free just now.
func FreePort(t T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// FreeAddress is such a port with the interface's address.
func FreeAddress(t T) string { return fmt.Sprintf("127.0.0.1:%d", FreePort(t)) }

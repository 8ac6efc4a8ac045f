package controlplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// assetsVariable is where envtest and its users look for the binaries.
	assetsVariable = "KUBEBUILDER_ASSETS"
	// requiredVariable turns a missing control plane from a skip into a
	// failure. The Makefile sets it, so that CI can't pass by skipping.
	requiredVariable = "CONTROLPLANE_REQUIRED"

	modulePath = "github.com/ovn-bgp-operator/ovn-bgp-operator"
)

// Binaries are the executables of a control plane.
type Binaries struct {
	APIServer, Etcd, Kubectl string
}

// FindBinaries looks in KUBEBUILDER_ASSETS where that is set, and otherwise in
// the folder that `make controlplane` fills.
func FindBinaries() (Binaries, error) {
	folder := os.Getenv(assetsVariable)
	if folder == "" {
		root, err := RepositoryRoot()
		if err != nil {
			return Binaries{}, err
		}
		folder = filepath.Join(root, ".cache", "controlplane", "bin")
	}
	found := Binaries{
		APIServer: filepath.Join(folder, "kube-apiserver"),
		Etcd:      filepath.Join(folder, "etcd"),
		Kubectl:   filepath.Join(folder, "kubectl"),
	}
	for _, path := range []string{found.APIServer, found.Etcd, found.Kubectl} {
		if _, err := os.Stat(path); err != nil {
			return Binaries{}, fmt.Errorf(
				"no control plane to run: %w; run `make controlplane` (minutes, once) or set %s to a folder with kube-apiserver, etcd and kubectl",
				err, assetsVariable)
		}
	}
	return found, nil
}

// RepositoryRoot is the nearest folder above the working directory that holds
// this module. Tests run in their package's folder, the demo anywhere below.
func RepositoryRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.Contains(string(content), "module "+modulePath+"\n") {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("%s is not inside a checkout of %s: start from there", start, modulePath)
		}
	}
}

// moduleFolder is where the sources of a required module are, with the CRDs
// that it ships; they are downloaded if nothing else needed them yet.
func moduleFolder(root, module string) (string, error) {
	download := exec.Command("go", "mod", "download", "-json", module)
	download.Dir = root
	output, err := download.Output()
	var answer struct{ Dir, Error string }
	if decodeErr := json.Unmarshal(output, &answer); decodeErr == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	if err != nil {
		return "", fmt.Errorf("module %s, whose CRDs are needed: go mod download: %w", module, err)
	}
	return answer.Dir, nil
}

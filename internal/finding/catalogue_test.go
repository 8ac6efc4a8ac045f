package finding_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/finding"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// root is the module's.
const root = "../.."

func TestEveryReasonIsComplete(t *testing.T) {
	name, sentence := regexp.MustCompile(`^[A-Z][A-Za-z0-9]+$`), regexp.MustCompile(`^[A-Z].*\.$`)
	seen := map[string]bool{}
	for _, r := range finding.Catalogue() {
		if !name.MatchString(r.Name) || seen[r.Name] {
			t.Errorf("%s is no CamelCase word, or is in the catalogue twice", r.Name)
		}
		seen[r.Name] = true
		if len(r.Outcomes) == 0 || len(r.Scopes) == 0 {
			t.Errorf("%s lacks an outcome or a scope", r.Name)
		}
		if !sentence.MatchString(r.Meaning) {
			t.Errorf("the meaning of %s is no sentence: %s", r.Name, r.Meaning)
		}
		if !sentence.MatchString(r.Remedy) {
			t.Errorf("the remedy of %s is no sentence: %s", r.Name, r.Remedy)
		}
	}
}

// A finding that is made elsewhere has a reason that nobody can look up.
func TestFindingsAreMadeInThisRoomOnly(t *testing.T) {
	eachFile(t, func(path string, isTest bool) {
		if isTest || filepath.Ext(path) != ".go" || strings.HasPrefix(path, "internal/finding/") || path == "internal/model/snapshot.go" {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok || len(literal.Elts) == 0 {
				return true
			}
			if kind, ok := literal.Type.(*ast.SelectorExpr); ok {
				if pkg, ok := kind.X.(*ast.Ident); ok && pkg.Name == "model" && (kind.Sel.Name == "Finding" || kind.Sel.Name == "Problem") {
					t.Errorf("%s makes a model.%s: add a constructor to internal/finding", path, kind.Sel.Name)
				}
			}
			return true
		})
	})
}

// unseen are reasons that no test has, and why.
var unseen = map[string]string{
	"AnnotationNotWritten": "it takes an API server that refuses a patch of a NetworkAttachmentDefinition",
}

// An entry that no test or golden knows is one that nobody has seen.
func TestEveryReasonIsSeenByATest(t *testing.T) {
	word, missing := regexp.MustCompile(`[A-Z][A-Za-z0-9]+`), map[string]bool{}
	for _, r := range finding.Catalogue() {
		missing[r.Name] = unseen[r.Name] == ""
	}
	eachFile(t, func(path string, isTest bool) {
		if !isTest || strings.HasPrefix(path, "internal/finding/") {
			return
		}
		content, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range word.FindAllString(string(content), -1) {
			delete(missing, name)
		}
	})
	for name, wanted := range missing {
		if wanted {
			t.Errorf("no test or golden has a finding with reason %s", name)
		}
	}
}

// eachFile visits what is the module's, its tests and what these read among it.
func eachFile(t *testing.T, visit func(path string, isTest bool)) {
	t.Helper()
	for _, folder := range []string{"api", "cmd", "internal", "test"} {
		err := fs.WalkDir(os.DirFS(root), folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			isTest := strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "test/") || slices.Contains(strings.Split(path, "/"), "testdata")
			visit(path, isTest)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The room can't import what reads objects, and names one annotation all the same.
func TestTheAnnotationIsTheContracts(t *testing.T) {
	if got := finding.HostSubnetDisputed("a", mustPrefix("10.0.0.0/24"), nil).Message; !strings.Contains(got, "annotation "+ovnk.AnnotationNodeSubnets+" of") {
		t.Error(got)
	}
}

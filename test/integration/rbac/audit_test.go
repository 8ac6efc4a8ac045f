package rbac_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/test/controlplane"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// auditLog is the API server's record of what the two programs asked of it.
type auditLog struct{ policy, path string }

func newAuditLog(folder string) *auditLog {
	GinkgoHelper()
	log := &auditLog{policy: filepath.Join(folder, "audit-policy.yaml"), path: filepath.Join(folder, "audit.log")}
	Expect(os.WriteFile(log.policy, fmt.Appendf(nil, `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: [%q, %q]
- level: None
`, managerAccount.user(), agentAccount.user()), 0o600)).To(Succeed())
	return log
}

// right is one verb on one resource. namespace and name are "" where it is for
// all of them.
type right struct{ namespace, group, resource, name, verb string }

func (r right) String() string {
	text := r.verb + " " + r.resource
	if r.group != "" {
		text += "." + r.group
	}
	if r.name != "" {
		text += " " + r.name
	}
	if r.namespace != "" {
		text += " in " + r.namespace
	}
	return text
}

// covers reports whether the right is enough for a request.
func (r right) covers(request right) bool {
	return r.group == request.group && r.resource == request.resource && r.verb == request.verb &&
		(r.namespace == "" || r.namespace == request.namespace) && (r.name == "" || r.name == request.name)
}

// of returns what a user asked for, and apart from that what was refused for
// want of a right.
func (l *auditLog) of(user string) (asked, refused []right) {
	GinkgoHelper()
	file, err := os.Open(l.path)
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditv1.Event
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // The API server is writing it.
		}
		// What is no resource, such as /api, everybody may read.
		if event.User.Username != user || event.ObjectRef == nil || event.ResponseStatus == nil {
			continue
		}
		// Other specs use the same accounts to try what they must not.
		if strings.HasPrefix(event.UserAgent, filepath.Base(os.Args[0])) {
			continue
		}
		asked1 := right{event.ObjectRef.Namespace, event.ObjectRef.APIGroup, event.ObjectRef.Resource, event.ObjectRef.Name, event.Verb}
		if event.ObjectRef.Subresource != "" {
			asked1.resource += "/" + event.ObjectRef.Subresource
		}
		switch event.ResponseStatus.Code {
		case http.StatusForbidden, http.StatusUnauthorized:
			refused = append(refused, asked1)
			continue
		case http.StatusCreated:
			if asked1.verb == "patch" {
				// Applying what isn't there takes the right to create it, too.
				made := asked1
				made.verb = "create"
				asked = append(asked, made)
			}
		}
		asked = append(asked, asked1)
	}
	Expect(lines.Err()).NotTo(HaveOccurred())
	return distinct(asked), distinct(refused)
}

func distinct(rights []right) []right {
	slices.SortFunc(rights, func(a, b right) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(rights)
}

// granted are the rights of a file of roles, one by one.
func granted(file string) []right {
	GinkgoHelper()
	var out []right
	for _, document := range controlplane.Shipped(GinkgoT(), file) {
		role := rules(document)
		for _, rule := range role.Rules {
			names := rule.ResourceNames
			if len(names) == 0 {
				names = []string{""}
			}
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, name := range names {
						for _, verb := range rule.Verbs {
							Expect([]string{group, resource, verb}).NotTo(ContainElement("*"))
							out = append(out, right{document.GetNamespace(), group, resource, name, verb})
						}
					}
				}
			}
		}
	}
	return distinct(out)
}

func rules(document *unstructured.Unstructured) *rbacv1.ClusterRole {
	GinkgoHelper()
	// Roles and ClusterRoles have the same rules.
	role := &rbacv1.ClusterRole{}
	Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(document.Object, role)).To(Succeed())
	Expect(role.Rules).NotTo(BeEmpty())
	return role
}

// uncovered are the requests that none of the rights is enough for.
func uncovered(requests, rights []right) []right {
	return slices.DeleteFunc(slices.Clone(requests), func(request right) bool {
		return slices.ContainsFunc(rights, func(r right) bool { return r.covers(request) })
	})
}

// superfluous are the rights without any one of which nothing would have been
// refused.
func superfluous(requests, rights []right) []right {
	var out []right
	for i := range rights {
		if len(uncovered(requests, slices.Delete(slices.Clone(rights), i, i+1))) == 0 {
			out = append(out, rights[i])
		}
	}
	return out
}

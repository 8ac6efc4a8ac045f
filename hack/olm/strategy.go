package main

import (
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// webhookCertificate is where OLM puts the webhook's certificate, which it
// makes and renews, into every container of the Deployment.
const webhookCertificate = "/tmp/k8s-webhook-server/serving-certs"

// webhookPath is where the manager serves reviews. config/webhook has none: there
// the manager, whose certificate it is, writes one of its own.
const webhookPath = "/validate"

// strategy is the Deployment and its rights.
func (s *sources) strategy(image string) v1alpha1.StrategyDetailsDeployment {
	deployment := s.deployment.DeepCopy()
	container := &deployment.Spec.Template.Spec.Containers[0]
	container.Image = image
	container.Args = append(container.Args, "--webhook-cert-dir="+webhookCertificate)
	account := deployment.Spec.Template.Spec.ServiceAccountName
	// Events about objects without a namespace go to "default", where a bundle
	// can give no right but by giving it everywhere.
	everywhere := slices.Concat(s.clusterRole.Rules, s.roles["default"].Rules)
	return v1alpha1.StrategyDetailsDeployment{
		DeploymentSpecs: []v1alpha1.StrategyDeploymentSpec{{Name: deployment.Name, Label: deployment.Labels, Spec: deployment.Spec}},
		ClusterPermissions: []v1alpha1.StrategyDeploymentPermissions{
			{ServiceAccountName: account, Rules: withoutOwnCertificate(everywhere)},
		},
		Permissions: []v1alpha1.StrategyDeploymentPermissions{
			{ServiceAccountName: account, Rules: withoutOwnCertificate(s.roles[home].Rules)},
		},
	}
}

// withoutOwnCertificate takes away the rights to keep the webhook's certificate
// in a Secret and to announce it, both of which OLM does itself.
func withoutOwnCertificate(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	var out []rbacv1.PolicyRule
	for i := range rules {
		rule := rules[i].DeepCopy()
		rule.Resources = slices.DeleteFunc(rule.Resources, func(resource string) bool {
			return resource == "secrets" || resource == "validatingwebhookconfigurations"
		})
		if len(rule.Resources) > 0 {
			out = append(out, *rule)
		}
	}
	return out
}

// webhooks are those of config/webhook. OLM makes a configuration, a Service
// and a certificate of each.
func (s *sources) webhooks() []v1alpha1.WebhookDescription {
	var out []v1alpha1.WebhookDescription
	path := webhookPath
	for i := range s.webhook.Webhooks {
		w := &s.webhook.Webhooks[i]
		out = append(out, v1alpha1.WebhookDescription{
			Type: v1alpha1.ValidatingAdmissionWebhook,
			// OLM also takes this for the webhook's name.
			GenerateName:            w.Name,
			DeploymentName:          s.deployment.Name,
			ContainerPort:           s.port("webhook"),
			Rules:                   w.Rules,
			FailurePolicy:           w.FailurePolicy,
			ObjectSelector:          w.ObjectSelector,
			SideEffects:             w.SideEffects,
			TimeoutSeconds:          w.TimeoutSeconds,
			AdmissionReviewVersions: w.AdmissionReviewVersions,
			WebhookPath:             &path,
		})
	}
	slices.SortFunc(out, func(a, b v1alpha1.WebhookDescription) int { return strings.Compare(a.GenerateName, b.GenerateName) })
	return out
}

func (s *sources) port(name string) int32 {
	for _, port := range s.deployment.Spec.Template.Spec.Containers[0].Ports {
		if port.Name == name {
			return port.ContainerPort
		}
	}
	return 0
}

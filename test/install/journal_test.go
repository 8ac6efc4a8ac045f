package install

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	nadv1 "github.com/k8snetworkplumbingwg/network-attachment-definition-client/pkg/apis/k8s.cni.cncf.io/v1"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ovnv1 "github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovn/v1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/status"
)

// journal follows every FRRConfiguration from one moment on, event by event,
// and notes whenever all that select a node no longer have it do what they had
// at that moment. It does the same for what OVN-Kubernetes' nodes act on:
// Accepted, and the annotation of the default network.
type journal struct {
	c *cluster

	mu       sync.Mutex
	objects  map[types.NamespacedName]*frrk8sv1beta1.FRRConfiguration
	required map[string][]string
	losses   []string
	events   []string
}

// follow starts a journal that ends with the test.
func (c *cluster) follow() *journal {
	c.t.Helper()
	j := &journal{c: c, objects: map[types.NamespacedName]*frrk8sv1beta1.FRRConfiguration{}}
	var list frrk8sv1beta1.FRRConfigurationList
	c.Expect(c.admin.List(c.t.Context(), &list)).To(Succeed())
	for i := range list.Items {
		j.objects[client.ObjectKeyFromObject(&list.Items[i])] = &list.Items[i]
	}
	j.required = j.advertised()
	c.Expect(j.required).NotTo(BeEmpty(), "nothing is advertised that could be lost")
	j.watch(&frrk8sv1beta1.FRRConfigurationList{}, list.ResourceVersion, func(e watch.Event) {
		o := e.Object.(*frrk8sv1beta1.FRRConfiguration)
		if key := client.ObjectKeyFromObject(o); e.Type == watch.Deleted {
			delete(j.objects, key)
		} else {
			j.objects[key] = o
		}
		j.events = append(j.events, fmt.Sprintf("%s %s %s", e.Type, o.Name, o.UID))
		now := j.advertised()
		for node, deeds := range j.required {
			for _, deed := range deeds {
				if !slices.Contains(now[node], deed) {
					j.losses = append(j.losses, fmt.Sprintf("after %s %s node %s lost %s", e.Type, o.Name, node, deed))
				}
			}
		}
	})
	j.followNodes()
	return j
}

// followNodes follows what OVN-Kubernetes' nodes act on.
func (j *journal) followNodes() {
	var advertisements ovnv1.RouteAdvertisementsList
	j.c.Expect(j.c.admin.List(j.c.t.Context(), &advertisements)).To(Succeed())
	j.watch(&ovnv1.RouteAdvertisementsList{}, advertisements.ResourceVersion, func(e watch.Event) {
		o := e.Object.(*ovnv1.RouteAdvertisements)
		accepted := meta.FindStatusCondition(o.Status.Conditions, status.Accepted)
		if accepted == nil || accepted.Status != metav1.ConditionTrue || accepted.ObservedGeneration != o.Generation || o.Status.Status != "Accepted" {
			j.losses = append(j.losses, fmt.Sprintf("after %s RouteAdvertisements %s it is not Accepted: %+v", e.Type, o.Name, o.Status))
		}
	})
	var nads nadv1.NetworkAttachmentDefinitionList
	j.c.Expect(j.c.admin.List(j.c.t.Context(), &nads)).To(Succeed())
	annotated := map[string]string{}
	for i := range nads.Items {
		annotated[nads.Items[i].Name] = nads.Items[i].Annotations[ovnk.AnnotationRouteAdvertisements]
	}
	j.watch(&nadv1.NetworkAttachmentDefinitionList{}, nads.ResourceVersion, func(e watch.Event) {
		o := e.Object.(*nadv1.NetworkAttachmentDefinition)
		if was, is := annotated[o.Name], o.Annotations[ovnk.AnnotationRouteAdvertisements]; was != is {
			j.losses = append(j.losses, fmt.Sprintf("after %s NetworkAttachmentDefinition %s is advertised by %s, not %s", e.Type, o.Name, is, was))
		}
	})
}

// watch notes what happens to a kind. The API server ends the watches of a kind whose
// CRD is changed; what happened until the next one begins shows in what is there then.
func (j *journal) watch(list client.ObjectList, from string, note func(watch.Event)) {
	j.c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	j.c.t.Cleanup(cancel)
	watching, err := client.NewWithWatch(j.c.Config, client.Options{Scheme: j.c.admin.Scheme()})
	j.c.Expect(err).NotTo(HaveOccurred())
	begin := func() (watch.Interface, error) {
		return watching.Watch(ctx, list, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: from}})
	}
	events, err := begin()
	j.c.Expect(err).NotTo(HaveOccurred())
	go func() {
		for {
			for e := range events.ResultChan() {
				j.noteEvent(e, note)
			}
			err := watching.List(ctx, list)
			if err == nil {
				err = meta.EachListItem(list, func(o runtime.Object) error {
					j.noteEvent(watch.Event{Type: watch.Modified, Object: o.DeepCopyObject()}, note)
					return nil
				})
			}
			if from = list.GetResourceVersion(); err == nil {
				events, err = begin()
			}
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				j.noteEvent(watch.Event{Type: watch.Error, Object: &metav1.Status{Message: err.Error()}}, note)
				return
			}
		}
	}()
}

func (j *journal) noteEvent(e watch.Event, note func(watch.Event)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Type == watch.Error {
		j.losses = append(j.losses, fmt.Sprintf("the watch broke: %v", e.Object))
		return
	}
	note(e)
}

// advertised is what each node's FRR is to do by all objects together.
func (j *journal) advertised() map[string][]string {
	out := map[string][]string{}
	for _, o := range j.objects {
		node := o.Spec.NodeSelector.MatchLabels[model.LabelHostname]
		for i := range o.Spec.BGP.Routers {
			r := &o.Spec.BGP.Routers[i]
			deeds := slices.Clone(r.Prefixes)
			for _, other := range r.Imports {
				deeds = append(deeds, "import "+other.VRF)
			}
			for k := range r.Neighbors {
				n := &r.Neighbors[k]
				for _, prefix := range n.ToAdvertise.Allowed.Prefixes {
					deeds = append(deeds, prefix+" to "+n.Address)
				}
			}
			for _, deed := range deeds {
				if node != "" {
					out[node] = append(out[node], fmt.Sprintf("VRF %q: %s", r.VRF, deed))
				}
			}
		}
	}
	return out
}

// expectNothingLost has seen what happened until now.
func (j *journal) expectNothingLost() {
	j.c.t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.c.Expect(j.losses).To(BeEmpty(), "what happened:\n"+strings.Join(j.events, "\n"))
}

// happened are the events of FRRConfigurations of a type.
func (j *journal) happened(kind watch.EventType) (names []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.events {
		if words := strings.Fields(e); words[0] == string(kind) {
			names = append(names, words[1])
		}
	}
	return names
}

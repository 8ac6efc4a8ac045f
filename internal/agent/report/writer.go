package report

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/api/ovnbgp/v1alpha1"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/agent/nodenetworks"
)

// Writer writes the node's NodeRouteState.
type Writer struct {
	Client client.Client
	Node   string
	// Namespace is where events go.
	Namespace string
	// Interval is the least time between two writes; 5 s if 0.
	Interval time.Duration
	States   func() []agent.NetworkState
	Layer2   func() agent.Layer2
	// VRFs is nil if the agent makes no VRF devices.
	VRFs *VRFs
	// EVPN is nil if the agent doesn't look at EVPN devices.
	EVPN *EVPN
	// VTEPs is nil if the agent doesn't look at the addresses of VTEPs.
	VTEPs *VTEPs
	// Networks returns what is known of the node's NodeNetworks.
	Networks func() nodenetworks.State
	Log      logr.Logger

	wake    chan struct{}
	began   time.Time
	written *v1alpha1.NodeRouteState
	// told are the reasons that the last events gave, by network.
	told map[string]string
	// toldVRFs is the same for their VRFs, with what is left of networks that
	// are gone under "".
	toldVRFs news
	// toldEVPN has one reason for the whole node: what is wrong with EVPN devices is
	// mostly wrong for all networks.
	toldEVPN news
	// toldVTEPs is the same for the addresses of VTEPs.
	toldVTEPs news
}

// NewScheme returns the types that are written.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, eventsv1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

// Init makes room for Changed.
func (w *Writer) Init() {
	w.wake, w.told, w.toldVRFs, w.began = make(chan struct{}, 1), map[string]string{}, news{}, time.Now()
	w.toldEVPN, w.toldVTEPs = news{}, news{}
	if w.Interval <= 0 {
		w.Interval = 5 * time.Second
	}
}

// Changed says that there may be something to write.
func (w *Writer) Changed() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends.
func (w *Writer) Run(ctx context.Context) error {
	timer := time.NewTimer(w.Interval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		case <-timer.C:
		}
		if err := w.Write(ctx); err != nil && ctx.Err() == nil {
			w.Log.Info("Could not write the NodeRouteState; trying again", "cause", err.Error())
			w.written = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.Interval):
		}
		timer.Reset(time.Minute)
	}
}

// Write writes the state if it differs from what was written.
func (w *Writer) Write(ctx context.Context) error {
	if w.written == nil {
		object, err := w.get(ctx)
		if err != nil || object == nil {
			return err
		}
		w.written = object
	}
	seen := Seen{States: w.States(), Devices: w.VRFs.Devices(), Layer2: w.Layer2()}
	w.tell(ctx, seen.States)
	w.tellVRFs(ctx, &seen.Devices)
	status := Status(&seen, &w.written.Status, time.Now())
	known := w.Networks()
	setNetworks(&status.Conditions, &known, time.Now())
	setFlags(&status.Conditions, known.Contradictions, time.Now())
	w.EVPN.set(&status, &w.written.Status, known.VTEPProblems, time.Now())
	w.tellCondition(ctx, w.toldEVPN, "CheckEVPN", meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionEVPNReady))
	w.VTEPs.set(&status, &w.written.Status, time.Now())
	w.tellCondition(ctx, w.toldVTEPs, "MakeVTEP", meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVTEPReady))
	if equality.Semantic.DeepEqual(status, w.written.Status) {
		return nil
	}
	next := w.written.DeepCopy()
	next.Status = status
	if err := w.Client.Status().Update(ctx, next, client.FieldOwner("ovn-bgp-operator")); err != nil {
		return err
	}
	w.written = next
	return nil
}

// ownerWithin is how long the object waits for the UID of the node that it is to go
// with.
const ownerWithin = time.Minute

// get returns the object, made if it is missing; nil while it has to wait for that.
func (w *Writer) get(ctx context.Context) (*v1alpha1.NodeRouteState, error) {
	object := &v1alpha1.NodeRouteState{}
	err := w.Client.Get(ctx, client.ObjectKey{Name: w.Node}, object)
	if err == nil {
		return object, nil
	}
	if meta.IsNoMatchError(err) {
		return nil, fmt.Errorf("the API server does not know NodeRouteStates: install the operator's CRDs (%w)", err)
	}
	if !apierrors.IsNotFound(err) {
		return nil, err
	}
	object = &v1alpha1.NodeRouteState{ObjectMeta: metav1.ObjectMeta{Name: w.Node}}
	uid := w.Networks().NodeUID
	if uid == "" && time.Since(w.began) < ownerWithin {
		return nil, nil
	}
	if uid != "" {
		object.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: w.Node, UID: types.UID(uid)}}
	}
	return object, w.Client.Create(ctx, object)
}

// tell writes an event when a network gets a problem, or is rid of it.
func (w *Writer) tell(ctx context.Context, states []agent.NetworkState) {
	for i := range states {
		s := &states[i]
		reason, message := s.Reason, s.Message
		before, known := w.told[s.Network]
		if reason == before || !decided(reason) || !known && reason == agent.ReasonSynced {
			if decided(reason) {
				w.told[s.Network] = reason
			}
			continue
		}
		kind := corev1.EventTypeWarning
		if reason == agent.ReasonSynced {
			kind = corev1.EventTypeNormal
		}
		if w.write(ctx, w.event("ImportRoutes", kind, reason, "network "+s.Network+": "+message)) {
			w.told[s.Network] = reason
		}
	}
}

// write writes an event. One that could not be written is for the next time.
func (w *Writer) write(ctx context.Context, event *eventsv1.Event) bool {
	err := w.Client.Create(ctx, event)
	if err != nil {
		w.Log.Info("Could not write an event; trying again", "cause", err.Error())
	}
	return err == nil
}

func (w *Writer) event(action, kind, reason, note string) *eventsv1.Event {
	return &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: w.Node + "-", Namespace: w.Namespace},
		EventTime:  metav1.NowMicro(), ReportingController: "ovn-bgp-operator/agent", ReportingInstance: w.Node,
		Action: action, Reason: reason, Type: kind, Note: cut(note),
		Regarding: corev1.ObjectReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: "NodeRouteState", Name: w.Node, UID: w.written.UID},
	}
}

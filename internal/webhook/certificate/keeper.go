package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	acadmissionregistrationv1 "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingwebhookconfigurations,resourceNames=ovn-bgp-operator-webhook,verbs=list;watch;patch
// +kubebuilder:rbac:groups="",namespace=ovn-bgp-operator-system,resources=secrets,resourceNames=ovn-bgp-operator-webhook,verbs=list;watch;update
// +kubebuilder:rbac:groups="",namespace=ovn-bgp-operator-system,resources=secrets,verbs=create

const (
	// defaultLife is how long a certificate is good. It is renewed after two
	// thirds of that.
	defaultLife = 90 * 24 * time.Hour
	// lookAgain is how often the certificate's age is looked at.
	lookAgain = time.Hour
	// defaultPause is the least time between two certificates of one replica.
	// Replicas whose clocks differ by more than an hour would outdo each other.
	defaultPause = time.Minute
	// trySoon is when what failed is tried again.
	trySoon = 5 * time.Second
)

// Options say what to keep.
type Options struct {
	// Configuration is the name of the ValidatingWebhookConfiguration.
	Configuration string
	// Path is where reviews are served. The API server gets a longer one; see Knows.
	Path string
	// Secret is where the certificate lies.
	Secret types.NamespacedName
	// Life of a certificate; 90 days if 0.
	Life time.Duration
	// Pause is the least time between two certificates; a minute if 0.
	Pause time.Duration
	// Now is the clock, the system's if nil.
	Now func() time.Time
	Log logr.Logger
}

// Keeper keeps the certificate.
type Keeper struct {
	options Options
	cache   cache.Cache
	client  client.Client
	wake    chan struct{}
	shown   atomic.Pointer[tls.Certificate]
	token   atomic.Pointer[string]
	// made is when the last certificate was made here.
	made time.Time
	// told is what was logged last.
	told string
}

// New returns a Keeper that does nothing until Start.
func New(config *rest.Config, options Options) (*Keeper, error) {
	if options.Life == 0 {
		options.Life = defaultLife
	}
	if options.Pause == 0 {
		options.Pause = defaultPause
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), admissionregistrationv1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	// Its own cache holds these two objects alone, which is all that its rights
	// let it read.
	one := func(name string) fields.Selector { return fields.OneTermEqualSelector(metav1.ObjectNameField, name) }
	reads, err := cache.New(config, cache.Options{
		Scheme: scheme,
		ByObject: map[client.Object]cache.ByObject{
			&admissionregistrationv1.ValidatingWebhookConfiguration{}: {Field: one(options.Configuration)},
			&corev1.Secret{}: {Field: one(options.Secret.Name), Namespaces: map[string]cache.Config{options.Secret.Namespace: {}}},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot keep the webhook's certificate: %w", err)
	}
	writes, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("cannot keep the webhook's certificate: %w", err)
	}
	return &Keeper{options: options, cache: reads, client: writes, wake: make(chan struct{}, 1)}, nil
}

// NeedLeaderElection is false: every replica serves reviews.
func (k *Keeper) NeedLeaderElection() bool { return false }

// GetCertificate is for tls.Config.
func (k *Keeper) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if shown := k.shown.Load(); shown != nil {
		return shown, nil
	}
	return nil, errors.New("there is no certificate yet")
}

// Start keeps the certificate until ctx ends.
func (k *Keeper) Start(ctx context.Context) error {
	go func() {
		if err := k.cache.Start(ctx); err != nil {
			k.options.Log.Error(err, "The webhook's certificate can't be watched")
		}
	}()
	for _, object := range []client.Object{&admissionregistrationv1.ValidatingWebhookConfiguration{}, &corev1.Secret{}} {
		if err := k.follow(ctx, object); err != nil {
			k.tell("The webhook's certificate can't be watched", err)
		}
	}
	k.awaitCache(ctx)
	for ctx.Err() == nil {
		pause := lookAgain
		if err := k.sync(ctx); err != nil && ctx.Err() == nil {
			k.tell("There is no new certificate for the webhook; trying again. Until then objects may pass unchecked", err)
			pause = trySoon
		} else {
			k.told = ""
		}
		select {
		case <-ctx.Done():
		case <-k.wake:
		case <-time.After(pause):
		}
	}
	return nil
}

func (k *Keeper) follow(ctx context.Context, object client.Object) error {
	informer, err := k.cache.GetInformer(ctx, object, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	poke := func() {
		select {
		case k.wake <- struct{}{}:
		default:
		}
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { poke() }, UpdateFunc: func(any, any) { poke() }, DeleteFunc: func(any) { poke() },
	})
	return err
}

// awaitCache gives the cache some time, so that the first pass finds it filled.
func (k *Keeper) awaitCache(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, trySoon)
	defer cancel()
	k.cache.WaitForCacheSync(ctx)
}

// tell logs what is new.
func (k *Keeper) tell(what string, cause error) {
	if cause.Error() != k.told {
		k.told = cause.Error()
		k.options.Log.Info(what, "cause", k.told)
	}
}

// sync makes a certificate if one is due, has it trusted, and shows it.
func (k *Keeper) sync(ctx context.Context) error {
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := k.read(ctx, client.ObjectKey{Name: k.options.Configuration}, configuration); apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no ValidatingWebhookConfiguration %s, so that nobody calls the webhook: "+
			"install it, or start the operator with --webhook=false", k.options.Configuration)
	} else if err != nil {
		return err
	}
	current, err := k.current(ctx, configuration)
	if err != nil || current == nil {
		return err
	}
	k.token.Store(&current.token)
	if err := k.trust(ctx, configuration, current); err != nil {
		return err
	}
	if shown := k.shown.Swap(&current.Certificate); shown == nil || !bytes.Equal(shown.Leaf.Raw, current.Leaf.Raw) {
		k.options.Log.Info("Showing a certificate to the API server", "names", namesOf(configuration),
			"until", current.Leaf.NotAfter, "renewedAfter", current.renewal(k.options.Life))
	}
	return nil
}

// read does not wait for a cache that the API server does not fill.
func (k *Keeper) read(ctx context.Context, key client.ObjectKey, object client.Object) error {
	ctx, cancel := context.WithTimeout(ctx, trySoon)
	defer cancel()
	return k.cache.Get(ctx, key, object)
}

// current returns the certificate to show. It is nil where another one was
// just written: the cache will show it.
func (k *Keeper) current(ctx context.Context, configuration *admissionregistrationv1.ValidatingWebhookConfiguration) (*pair, error) {
	names := namesOf(configuration)
	secret := &corev1.Secret{}
	err := k.read(ctx, k.options.Secret, secret)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return nil, err
	}
	now := k.options.Now()
	if !missing {
		stored, unusable := readPair(secret, names, now)
		justMade := now.Before(k.made.Add(k.options.Pause))
		if unusable == nil && (justMade || now.Before(stored.renewal(k.options.Life))) {
			return stored, nil
		}
		if justMade {
			return nil, fmt.Errorf("the certificate just issued is already invalid (%s): check that the nodes' clocks are in sync", describe(unusable))
		}
		k.options.Log.Info("The webhook gets a new certificate", "old", describe(unusable))
	}
	k.made = now
	certificate, key, trusted, err := issue(names, k.options.Life, secret.Data[authorities], now)
	if err != nil {
		return nil, err
	}
	secret = secret.DeepCopy()
	secret.Data = map[string][]byte{
		corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key, authorities: trusted, pathToken: []byte(tokenOf(secret)),
	}
	if missing {
		secret.Name, secret.Namespace = k.options.Secret.Name, k.options.Secret.Namespace
		secret.Type = corev1.SecretTypeTLS
		secret.Labels = map[string]string{"app.kubernetes.io/name": model.FieldManager, "app.kubernetes.io/component": "webhook"}
		// So that nothing is left when the webhook is removed.
		secret.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: admissionregistrationv1.SchemeGroupVersion.String(), Kind: "ValidatingWebhookConfiguration",
			Name: configuration.Name, UID: configuration.UID,
		}}
		err = k.client.Create(ctx, secret, client.FieldOwner(model.FieldManager))
	} else {
		err = k.client.Update(ctx, secret, client.FieldOwner(model.FieldManager))
	}
	if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
		// Another replica was faster.
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("writing Secret %s: %w", k.options.Secret, err)
	}
	return nil, nil
}

func describe(unusable error) string {
	if unusable == nil {
		return "two thirds of its time are over"
	}
	return unusable.Error()
}

// trust writes the authorities, and the path that only the API server knows, into
// the configuration if it has others.
func (k *Keeper) trust(ctx context.Context, configuration *admissionregistrationv1.ValidatingWebhookConfiguration, current *pair) error {
	apply := acadmissionregistrationv1.ValidatingWebhookConfiguration(configuration.Name).WithResourceVersion(configuration.ResourceVersion)
	path := k.secretPath(current.token)
	stale := false
	for i := range configuration.Webhooks {
		called := &configuration.Webhooks[i].ClientConfig
		wanted := acadmissionregistrationv1.WebhookClientConfig().WithCABundle(current.authorities...)
		stale = stale || !bytes.Equal(called.CABundle, current.authorities)
		if called.Service != nil {
			wanted.WithService(acadmissionregistrationv1.ServiceReference().WithPath(path))
			stale = stale || called.Service.Path == nil || *called.Service.Path != path
		} else if called.URL != nil {
			address := k.withPath(*called.URL, path)
			wanted.WithURL(address)
			stale = stale || *called.URL != address
		}
		apply.WithWebhooks(acadmissionregistrationv1.ValidatingWebhook().WithName(configuration.Webhooks[i].Name).WithClientConfig(wanted))
	}
	if !stale {
		return nil
	}
	if err := k.client.Apply(ctx, apply, client.FieldOwner(model.FieldManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("writing caBundle and path of ValidatingWebhookConfiguration %s: %w", configuration.Name, err)
	}
	return nil
}

func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}

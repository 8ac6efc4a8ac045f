package inplace

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// fieldManager owns what is written of objects that nobody applies server-side.
	fieldManager = "kubectl-ra"
	// grace is how long a change may take beyond what it waits for.
	grace = 30 * time.Second
)

// Changer writes templates into a cluster.
type Changer struct {
	Client client.Client
	Now    func() time.Time
	// Within is how long to wait until all generated objects agree.
	Within time.Duration
	// Check is asked before anything is changed in place, nil for nobody: frr-k8s does
	// not mind what would be lost.
	Check func(context.Context, []*unstructured.Unstructured) error
}

// Outcome is what became of a template.
type Outcome int

// The outcomes.
const (
	// Unchanged: the cluster had the template as the file has it.
	Unchanged Outcome = iota
	// Configured: frr-k8s took the template as it is.
	Configured
	// InPlace: frr-k8s took it together with the generated objects.
	InPlace
)

// Run writes the templates, which have to be there. Those that frr-k8s refuses as they
// are get changed in place, all at once.
func (c *Changer) Run(ctx context.Context, wanted []*unstructured.Unstructured) ([]Outcome, error) {
	templates := make([]*template, len(wanted))
	for i, w := range wanted {
		t, err := c.read(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("FRRConfiguration %s: %w", client.ObjectKeyFromObject(w), err)
		}
		templates[i] = t
	}
	outcomes := make([]Outcome, len(wanted))
	var inPlace []*template
	for i, t := range templates {
		if t.interrupted {
			outcomes[i], inPlace = InPlace, append(inPlace, t)
			continue
		}
		changed, err := c.put(ctx, t, t.wanted, plain)
		switch {
		case refused(err):
			outcomes[i], inPlace = InPlace, append(inPlace, t)
		case err != nil:
			return nil, fmt.Errorf("FRRConfiguration %s: %w", t.key(), err)
		case changed:
			outcomes[i] = Configured
		}
	}
	if len(inPlace) == 0 {
		return outcomes, nil
	}
	return outcomes, c.change(ctx, inPlace)
}

// refusal is how the API server says that frr-k8s' webhook refused an object.
var refusal = regexp.MustCompile(`admission webhook "[^"]*\.metallb\.io" denied the request`)

func refused(err error) bool { return err != nil && refusal.MatchString(err.Error()) }

// change changes templates in place, and undoes it if that fails.
func (c *Changer) change(ctx context.Context, templates []*template) error {
	if c.Check != nil {
		wanted := make([]*unstructured.Unstructured, 0, len(templates))
		for _, t := range templates {
			wanted = append(wanted, t.wanted)
		}
		if err := c.Check(ctx, wanted); err != nil {
			return err
		}
	}
	for _, t := range templates {
		if err := c.hold(ctx, t); err != nil {
			// Nothing has been changed, but by a change that was killed, whose hold stays.
			untouched := slices.DeleteFunc(slices.Clone(templates), func(t *template) bool { return t.interrupted })
			return errors.Join(fmt.Errorf("FRRConfiguration %s: %w", t.key(), err), c.releaseAll(untouched))
		}
	}
	cause := c.exchange(ctx, templates, func(t *template) *unstructured.Unstructured { return t.wanted })
	if cause == nil {
		return c.releaseAll(templates)
	}
	if ctx.Err() != nil {
		cause = errors.New("interrupted")
	}
	// Whoever interrupts the change still wants to have one template or the other.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Within+grace)
	defer cancel()
	if err := c.exchange(ctx, templates, func(t *template) *unstructured.Unstructured { return t.before }); err != nil {
		return fmt.Errorf("%w\nNor could the change be undone, and FRR stays as it is on the nodes: %w\n"+
			"Run the command again with the same file once the cause is mended", cause, err)
	}
	if err := c.releaseAll(templates); err != nil {
		return errors.Join(cause, err)
	}
	return fmt.Errorf("%w\nThe change was undone, and FRR has seen nothing of it", cause)
}

// exchange writes one version of the templates while they are on no node, and has them
// back on their nodes.
func (c *Changer) exchange(ctx context.Context, templates []*template, version func(*template) *unstructured.Unstructured) error {
	for _, t := range templates {
		t.begun = true
		if _, err := c.put(ctx, t, version(t), marked); err != nil {
			return fmt.Errorf("FRRConfiguration %s: %w", t.key(), err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, c.Within)
	defer cancel()
	for _, t := range templates {
		if err := c.putBack(ctx, t, version(t)); err != nil {
			return fmt.Errorf("FRRConfiguration %s: %w", t.key(), err)
		}
	}
	return nil
}

// putBack takes the mark away once frr-k8s allows it, which it does when all generated
// objects agree with the template.
func (c *Changer) putBack(ctx context.Context, t *template, version *unstructured.Unstructured) error {
	var last error
	// Each try has the webhook look at all nodes.
	pauses := wait.Backoff{Duration: 200 * time.Millisecond, Factor: 1.3, Cap: 3 * time.Second, Steps: 1000}
	err := wait.ExponentialBackoffWithContext(ctx, pauses, func(ctx context.Context) (bool, error) {
		_, err := c.put(ctx, t, version, plain)
		if err != nil && (last == nil || ctx.Err() == nil) {
			last = err
		}
		return err == nil, nil
	})
	switch {
	case err == nil:
		return nil
	case last == nil:
		return err
	default:
		return fmt.Errorf("the objects on its nodes don't agree with it after %s: %w", c.Within, last)
	}
}

// releaseAll has frr-k8s convert what is there now.
func (c *Changer) releaseAll(templates []*template) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var problems []error
	for _, t := range templates {
		problems = append(problems, c.release(ctx, t))
	}
	return errors.Join(problems...)
}

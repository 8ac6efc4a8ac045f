package render

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"
	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
)

// Hash distinguishes objects by what the operator owns of them: the whole spec and
// the operator's labels and annotations. Two specs differ if their JSON forms do:
// an empty list is no list, but a pointer to zero is not a missing pointer. The hash
// is for comparison within a process and must not be stored: it depends on the Go
// types.
func Hash(o *frrk8sv1beta1.FRRConfiguration) uint64 {
	h := newHasher()
	defer h.release()
	h.value(reflect.ValueOf(&o.Spec).Elem())
	for _, key := range [...]string{model.LabelGenerated, LabelManagedBy} {
		h.entry(o.Labels, key)
	}
	for _, key := range [...]string{model.AnnotationNode, AnnotationContributors, AnnotationRawRefused} {
		h.entry(o.Annotations, key)
	}
	return h.sum()
}

// hasher walks values by reflection, so that a field that a later frr-k8s adds
// is never forgotten.
type hasher struct {
	buffer []byte
	digest xxhash.Digest
}

// hashers are kept, because their buffers would be a twelfth of all that the
// manager allocates.
var hashers = sync.Pool{New: func() any { return &hasher{buffer: make([]byte, 0, 4096)} }}

func newHasher() *hasher {
	h := hashers.Get().(*hasher)
	h.digest.Reset()
	return h
}

func (h *hasher) release() {
	h.buffer = h.buffer[:0]
	hashers.Put(h)
}

func (h *hasher) sum() uint64 {
	h.flush()
	return h.digest.Sum64()
}

func (h *hasher) flush() {
	// A Digest's Write never fails.
	_, _ = h.digest.Write(h.buffer)
	h.buffer = h.buffer[:0]
}

func (h *hasher) number(n uint64) {
	h.buffer = binary.LittleEndian.AppendUint64(h.buffer, n)
	if len(h.buffer) > cap(h.buffer)-512 {
		h.flush()
	}
}

// text is written with its length in front, so that neighbors don't run
// together.
func (h *hasher) text(s string) {
	h.number(uint64(len(s)))
	h.buffer = append(h.buffer, s...)
}

func (h *hasher) entry(m map[string]string, key string) {
	value, found := m[key]
	h.flag(found)
	h.text(value)
}

func (h *hasher) flag(b bool) {
	if b {
		h.number(1)
	} else {
		h.number(0)
	}
}

func (h *hasher) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			h.value(v.Field(i))
		}
	case reflect.Pointer:
		h.flag(!v.IsNil())
		if !v.IsNil() {
			h.value(v.Elem())
		}
	case reflect.Slice:
		h.number(uint64(v.Len())) //nolint:gosec // lengths are not negative
		for i := range v.Len() {
			h.value(v.Index(i))
		}
	case reflect.Map:
		h.stringMap(v)
	case reflect.String:
		h.text(v.String())
	case reflect.Bool:
		h.flag(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		h.number(uint64(v.Int())) //nolint:gosec // any injective form will do
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		h.number(v.Uint())
	default:
		panic(fmt.Sprintf("render: can't hash a field of kind %s: frr-k8s' API has one now, add it here", v.Kind()))
	}
}

func (h *hasher) stringMap(v reflect.Value) {
	keys := make([]string, 0, v.Len())
	for _, key := range v.MapKeys() {
		keys = append(keys, key.String())
	}
	slices.Sort(keys)
	h.number(uint64(len(keys)))
	for _, key := range keys {
		h.text(key)
		h.value(v.MapIndex(reflect.ValueOf(key)))
	}
}

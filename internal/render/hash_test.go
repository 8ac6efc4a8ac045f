package render_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"runtime"
	"testing"

	frrk8sv1beta1 "github.com/metallb/frr-k8s/api/v1beta1"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/render"
)

func specHash(spec *frrk8sv1beta1.FRRConfigurationSpec) uint64 {
	return render.Hash(&frrk8sv1beta1.FRRConfiguration{Spec: *spec})
}

// TestHashSeesEveryField changes every field of a filled object in turn.
func TestHashSeesEveryField(t *testing.T) {
	var spec frrk8sv1beta1.FRRConfigurationSpec
	fill(reflect.ValueOf(&spec).Elem())
	seen := map[uint64]string{specHash(&spec): "the filled spec"}
	leaves := 0
	mutate(reflect.ValueOf(&spec).Elem(), "spec", func(path string) {
		leaves++
		hash := specHash(&spec)
		if other, taken := seen[hash]; taken {
			t.Errorf("%s hashes like %s", path, other)
		}
		seen[hash] = path
	})
	if leaves < 60 {
		t.Errorf("only %d fields were changed", leaves)
	}
}

// fill sets every field, one element per list, to a value that isn't zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"key": "value"}))
	default:
		bump(v, 1)
	}
}

func bump(v reflect.Value, by int64) {
	switch {
	case v.Kind() == reflect.String:
		v.SetString(v.String() + fmt.Sprint(by))
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.CanInt():
		v.SetInt(v.Int() + by)
	default:
		v.SetUint(v.Uint() + uint64(by))
	}
}

// mutate changes one leaf after the other and puts it back.
func mutate(v reflect.Value, path string, check func(path string)) {
	restore := reflect.New(v.Type()).Elem()
	restore.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			mutate(v.Field(i), path+"."+v.Type().Field(i).Name, check)
		}
		return
	case reflect.Pointer:
		mutate(v.Elem(), path, check)
		v.SetZero()
		check(path + " without value")
	case reflect.Slice:
		mutate(v.Index(0), path+"[0]", check)
		v.SetZero()
		check(path + " without elements")
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"key": "other"}))
		check(path + " with another value")
		v.Set(reflect.ValueOf(map[string]string{"other": "value"}))
		check(path + " with another key")
	default:
		bump(v, 7)
		check(path)
	}
	v.Set(restore)
}

func TestHashTakesAnEmptyListForNone(t *testing.T) {
	a := render.Node(plan())[0]
	text, err := json.Marshal(a.Spec)
	if err != nil {
		t.Fatal(err)
	}
	var b frrk8sv1beta1.FRRConfigurationSpec
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	b.BGP.Routers[1].Prefixes = []string{}
	b.BGP.Routers[1].Neighbors = []frrk8sv1beta1.Neighbor{}
	b.NodeSelector.MatchExpressions = nil
	if specHash(&a.Spec) != specHash(&b) {
		t.Error("the spec changes its hash on the way through JSON")
	}
}

func TestHashCoversOwnMetadataOnly(t *testing.T) {
	edits := map[string]struct {
		edit   func(o *frrk8sv1beta1.FRRConfiguration)
		change bool
	}{
		"own label changed":        {func(o *frrk8sv1beta1.FRRConfiguration) { o.Labels["ovnbgp.io/generated"] = "no" }, true},
		"own label removed":        {func(o *frrk8sv1beta1.FRRConfiguration) { delete(o.Labels, "app.kubernetes.io/managed-by") }, true},
		"node changed":             {func(o *frrk8sv1beta1.FRRConfiguration) { o.Annotations["ovnbgp.io/node"] = "other" }, true},
		"contributors removed":     {func(o *frrk8sv1beta1.FRRConfiguration) { delete(o.Annotations, "ovnbgp.io/route-advertisements") }, true},
		"foreign label added":      {func(o *frrk8sv1beta1.FRRConfiguration) { o.Labels["team"] = "net" }, false},
		"foreign annotation added": {func(o *frrk8sv1beta1.FRRConfiguration) { o.Annotations["team"] = "net" }, false},
		"resource version":         {func(o *frrk8sv1beta1.FRRConfiguration) { o.ResourceVersion = "7" }, false},
	}
	want := render.Hash(render.Node(plan())[0])
	for name, test := range edits {
		o := render.Node(plan())[0]
		test.edit(o)
		if changed := render.Hash(o) != want; changed != test.change {
			t.Errorf("%s: changed is %v, want %v", name, changed, test.change)
		}
	}
}

// big is a node of a cluster with 200 networks and two neighbors per router.
func big() *model.NodePlan {
	router := model.Router{ASN: 64512}
	for i := range 200 {
		router.Routes = append(router.Routes, model.Route{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 1, 0}), 24)})
	}
	for i := range 2 {
		router.Neighbors = append(router.Neighbors, model.Neighbor{
			Session: model.Session{Address: fmt.Sprintf("192.0.2.%d", i), ASN: 64513}, Advertise: router.Routes,
		})
	}
	return &model.NodePlan{Node: "worker-1", Hostname: "worker-1", Configs: []model.NodeConfig{{Namespace: "frr", Routers: []model.Router{router}}}}
}

func BenchmarkNode(b *testing.B) {
	p := big()
	b.ReportAllocs()
	for b.Loop() {
		render.Node(p)
	}
}

func BenchmarkHash(b *testing.B) {
	o := render.Node(big())[0]
	b.ReportAllocs()
	for b.Loop() {
		render.Hash(o)
	}
}

// Objects are hashed more often than anything else happens to them, so that a
// buffer for each hash would be a twelfth of all that the manager allocates.
func TestAHashAllocatesNoBuffer(t *testing.T) {
	o := render.Node(big())[0]
	render.Hash(o)
	const hashes = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range hashes {
		render.Hash(o)
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / hashes; got > 1024 {
		t.Errorf("a hash allocates %d bytes", got)
	}
}

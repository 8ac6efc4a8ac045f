package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/model"
	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/ovnk"
)

// The output formats.
const (
	outputTable = "table"
	outputYAML  = "yaml"
	outputJSON  = "json"
	outputDiff  = "diff"
)

var outputs = []string{outputTable, outputYAML, outputJSON, outputDiff}

// options are the flags as they were given.
type options struct {
	files  []string
	from   []string
	live   bool
	output string
	nodes  []string

	cluster

	takeOver         bool
	frrRaw           bool
	manageVTEPs      bool
	managedASN       uint32
	managedNamespace string
	defaultNoOverlay []string
	clusterSubnets   []string
	serviceSubnets   []string

	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

func (o *options) addTo(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringArrayVarP(&o.files, "filename", "f", nil,
		"file, directory (with everything below it) or - for stdin, to plan with; may be repeated")
	f.StringVarP(&o.output, "output", "o", outputTable,
		"table; yaml or json for the objects, with passwords in clear text if templates have them so; diff for what would change")
	f.StringArrayVar(&o.from, "from", nil,
		"file, directory or -, for -o diff to compare with instead of the cluster; may be repeated")
	f.StringArrayVar(&o.nodes, "node", nil, "show only this node; may be repeated")
	f.BoolVar(&o.live, "live", false,
		"plan with the live cluster's objects and the files on top, instead of with the files alone")
	o.addSettingsTo(f)
	o.addKubeFlags()
	f.AddFlagSet(o.kubeFlags)
}

// addSettingsTo adds what the plan depends on beside objects.
func (o *options) addSettingsTo(f *pflag.FlagSet) {
	f.BoolVar(&o.takeOver, "take-over", false,
		"also plan RouteAdvertisements that OVN-Kubernetes' own controller works on, like the manager's flag")
	f.BoolVar(&o.manageVTEPs, "manage-vteps", false,
		"use the addresses that the manager gave to nodes in their NodeNetworks, like the manager's flag")
	f.BoolVar(&o.frrRaw, "frr-raw", false,
		"also plan what frr-k8s' API has no fields for, like the manager's flag")
	f.Uint32Var(&o.managedASN, "managed-asn", 64512,
		"AS number of the sessions between nodes for NoOverlay networks with routing: Managed, like the manager's flag")
	f.StringVar(&o.managedNamespace, "managed-namespace", "frr-k8s-system",
		"namespace for the FRRConfigurations for Managed routing, like the manager's flag")
	f.StringSliceVar(&o.defaultNoOverlay, "default-network-no-overlay-subnets", nil,
		"subnets of the default pod network if it has no overlay, like the manager's flag")
	f.StringSliceVar(&o.clusterSubnets, "cluster-subnets", nil, "subnets of the default pod network, like the manager's flag")
	f.StringSliceVar(&o.serviceSubnets, "service-subnets", nil, "subnets of Services, like the manager's flag")
}

// usesCluster reports whether a cluster is read. Files alone never need one.
func (o *options) usesCluster() bool {
	return len(o.files) == 0 || o.live || o.namesCluster()
}

func (o *options) settings() model.Settings {
	// validate has checked these.
	noOverlay, _ := ovnk.ParseClusterSubnets(o.defaultNoOverlay)
	clusterSubnets, _ := ovnk.ParseClusterSubnets(o.clusterSubnets)
	serviceSubnets, _ := ovnk.ParseServiceSubnets(o.serviceSubnets)
	return model.Settings{
		TakeOver:         o.takeOver,
		FRRRaw:           o.frrRaw,
		ManageVTEPs:      o.manageVTEPs,
		Managed:          model.ManagedRouting{ASN: o.managedASN, Namespace: o.managedNamespace},
		DefaultNoOverlay: noOverlay,
		ClusterSubnets:   clusterSubnets,
		ServiceSubnets:   serviceSubnets,
	}
}

func (o *options) validate() error {
	var problems []error
	complain := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(format, args...))
	}
	if !slices.Contains(outputs, o.output) {
		complain("-o %q is not an output format; use %s", o.output, strings.Join(outputs, ", "))
	}
	if len(o.from) > 0 && o.output != outputDiff {
		complain("--from needs -o diff")
	}
	if len(o.from) > 0 && o.usesCluster() {
		complain("--from compares files with files: set the other side with -f, and remove --live and flags that name a cluster")
	}
	readers := 0
	for _, path := range slices.Concat(o.files, o.from) {
		if path == "-" {
			readers++
		}
	}
	if readers > 1 {
		complain("stdin (-) can be read only once")
	}
	return errors.Join(append(problems, o.validateSettings())...)
}

func (o *options) validateSettings() error {
	var problems []error
	complain := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(format, args...))
	}
	if o.managedASN == 0 || o.managedASN == math.MaxUint32 {
		complain("--managed-asn %d is reserved (RFC 7607, RFC 7300); use a private AS number", o.managedASN)
	}
	if o.managedNamespace == "" {
		complain("--managed-namespace is empty; name the namespace that frr-k8s runs in")
	}
	if _, err := ovnk.ParseClusterSubnets(o.defaultNoOverlay); err != nil {
		complain("--default-network-no-overlay-subnets: %w", err)
	}
	if _, err := ovnk.ParseClusterSubnets(o.clusterSubnets); err != nil {
		complain("--cluster-subnets: %w", err)
	}
	if _, err := ovnk.ParseServiceSubnets(o.serviceSubnets); err != nil {
		complain("--service-subnets: %w", err)
	}
	return errors.Join(problems...)
}

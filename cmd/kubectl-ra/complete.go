package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/ovn-bgp-operator/ovn-bgp-operator/internal/manifest"
)

// completeFlags offers values to the shell, but only those that can be found quickly
// and without a cluster.
func completeFlags(command *cobra.Command, o *options) {
	extensions := []string{"yaml", "yml", "json"}
	for _, flag := range []string{"filename", "from"} {
		must(command.MarkFlagFilename(flag, extensions...))
	}
	must(command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp)))
	fromKubeconfig := func(names func(clientcmdapi.Config) []string) cobra.CompletionFunc {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			config, err := o.kube.ToRawKubeConfigLoader().RawConfig()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return names(config), cobra.ShellCompDirectiveNoFileComp
		}
	}
	for flag, names := range map[string]func(clientcmdapi.Config) []string{
		"context": func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Contexts)) },
		"cluster": func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Clusters)) },
		"user":    func(c clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.AuthInfos)) },
	} {
		must(command.RegisterFlagCompletionFunc(flag, fromKubeconfig(names)))
	}
	must(command.RegisterFlagCompletionFunc("node", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return o.nodesInFiles(), cobra.ShellCompDirectiveNoFileComp
	}))
	command.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}

func (o *options) nodesInFiles() []string {
	files := slices.DeleteFunc(slices.Clone(o.files), func(path string) bool { return path == "-" })
	// Problems with the files are reported when they are planned with.
	set, _ := manifest.Load(files, strings.NewReader(""))
	var names []string
	for i := range set.Objects().Nodes {
		names = append(names, set.Objects().Nodes[i].Name)
	}
	slices.Sort(names)
	return names
}

// describeCompletion says how kubectl finds a plugin's completions.
func describeCompletion(command *cobra.Command) {
	command.InitDefaultCompletionCmd("completion")
	for _, child := range command.Commands() {
		if child.Name() != "completion" {
			continue
		}
		child.Short = "Print the completion script for a shell"
		child.Long = `Print a script that completes commands and flags of kubectl-ra in a shell.

For "kubectl ra" itself, kubectl runs the executable kubectl_complete-ra on the
PATH. These commands create it (kubectl's own completion must be loaded, too):

  printf '#!/bin/sh\nexec kubectl-ra __complete "$@"\n' > kubectl_complete-ra
  chmod +x kubectl_complete-ra

See the help of each shell for how to load the script for kubectl-ra.`
	}
}

// must panics on mistakes in this file, such as in the name of a flag.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

package program

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// NewReferenceCommand returns the hidden subcommand that prints the commands and
// flags of its program in Markdown. hack/reference makes a page of it.
func NewReferenceCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "reference",
		Short:  "Print all commands and flags in Markdown",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return writeReference(command.OutOrStdout(), command.Root())
		},
	}
}

func writeReference(out io.Writer, command *cobra.Command) error {
	if _, err := fmt.Fprintf(out, "### %s\n\n%s.\n\n", command.CommandPath(), command.Short); err != nil {
		return err
	}
	seen := map[string]bool{"help": true, "version": true}
	rows := 0
	// Flags has the persistent ones, too, but in another order.
	command.PersistentFlags().VisitAll(func(f *pflag.Flag) { rows += writeFlag(out, f, rows, seen) })
	own := command.LocalNonPersistentFlags()
	own.SortFlags = false
	own.VisitAll(func(f *pflag.Flag) { rows += writeFlag(out, f, rows, seen) })
	if rows > 0 {
		_, _ = fmt.Fprintln(out)
	}
	if inherited := command.InheritedFlags(); inherited.HasAvailableFlags() {
		_, _ = fmt.Fprintf(out, "It also takes the flags of `%s`.\n", command.Parent().CommandPath())
		_, _ = fmt.Fprintln(out)
	}
	for _, sub := range command.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" && sub.Name() != "completion" {
			if err := writeReference(out, sub); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeFlag writes a flag's row, and before the first one the table's header.
func writeFlag(out io.Writer, f *pflag.Flag, rows int, seen map[string]bool) (written int) {
	if f.Hidden || seen[f.Name] {
		return 0
	}
	seen[f.Name] = true
	if rows == 0 {
		_, _ = fmt.Fprint(out, "| flag | default | text |\n|---|---|---|\n")
	}
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	standard := f.DefValue
	if list, ok := f.Value.(pflag.SliceValue); ok {
		standard = strings.Join(list.GetSlice(), ",")
	}
	if standard != "" {
		standard = "`" + standard + "`"
	}
	// Backquotes around a word of the text would make it the type's name.
	kind, text := pflag.UnquoteUsage(f)
	if kind != "" {
		name += " " + kind
	}
	_, _ = fmt.Fprintf(out, "| `%s` | %s | %s |\n", name, standard, strings.ReplaceAll(text, "|", `\|`))
	return 1
}

package cni

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// script is one transaction of ovn-nbctl: many commands, of which either all or
// none are done.
type script struct {
	commands [][]string
	rows     int
	// sets are the address sets that the transaction has a name for.
	sets []string
}

func (s *script) add(command ...string) { s.commands = append(s.commands, command) }

// arguments are those of ovn-nbctl.
func (s *script) arguments() []string {
	var out []string
	for i, command := range s.commands {
		if i > 0 {
			out = append(out, "--")
		}
		out = append(out, command...)
	}
	return out
}

// columns are values by column.
type columns map[string]any

// reference is a row that a column refers to.
type reference string

// set writes columns of the row with a name.
func (s *script) set(table, name string, values columns) {
	s.add(append([]string{"set", table, name}, assignments(values)...)...)
}

// child inserts a row that belongs to another one, into a column of that.
func (s *script) child(table string, values columns, parent, parentName, column string) {
	s.rows++
	id := fmt.Sprintf("@row%d", s.rows)
	s.add(append([]string{"--id=" + id, "create", table}, assignments(values)...)...)
	s.add("add", parent, parentName, column, id)
}

// assignments are columns in ovn-nbctl's form, in the order of their names.
func assignments(values columns) []string {
	var out []string
	for _, column := range slices.Sorted(maps.Keys(values)) {
		switch value := values[column].(type) {
		case string:
			out = append(out, column+"="+strconv.Quote(value))
		case reference:
			out = append(out, column+"="+string(value))
		case int:
			out = append(out, column+"="+strconv.Itoa(value))
		case []string:
			quoted := make([]string, len(value))
			for i, one := range value {
				quoted[i] = strconv.Quote(one)
			}
			out = append(out, column+"=["+strings.Join(quoted, ",")+"]")
		case map[string]string:
			for _, key := range slices.Sorted(maps.Keys(value)) {
				out = append(out, column+":"+strconv.Quote(key)+"="+strconv.Quote(value[key]))
			}
		default:
			panic(fmt.Sprintf("column %s has a %T", column, value))
		}
	}
	return out
}

// with are maps in one; later ones win.
func with(parts ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, part := range parts {
		maps.Copy(out, part)
	}
	return out
}

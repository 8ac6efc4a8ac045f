package ovnnb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"testing"
	"testing/iotest"
)

// insertions is an update that inserts rows of ours, as ovsdb-server sends it.
func insertions(rows int) []byte {
	out := []byte{'{'}
	for i := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `"00000000-0000-0000-0000-%012x":{"insert":{"ip_prefix":"10.%d.%d.0/24","nexthop":"172.18.0.%d","output_port":"rtoe-GR_n1",`+
			`"external_ids":["map",[["ovnbgp.io/network","default"],["ovnbgp.io/node","n1"],["ovnbgp.io/owner","agent"]]]}}`, i+1, i>>8, i&255, 2+i%2)
	}
	return append(out, '}')
}

// Messages come in pieces, cut anywhere.
func TestReadingInPieces(t *testing.T) {
	const rows = 700
	for name, pieces := range map[string]func(io.Reader) io.Reader{
		"bytes": iotest.OneByteReader, "halves": iotest.HalfReader, "the end with the last": iotest.DataErrReader,
	} {
		var lock sync.Mutex
		r := newRoutes("n1", &lock)
		in := newJSONReader(pieces(bytes.NewReader(insertions(rows))))
		r.read(in)
		n := r.network("default")
		if in.err != nil || n.rows != rows {
			t.Errorf("%s: %d rows: %v", name, n.rows, in.err)
		}
		row := n.byPrefix[netip.MustParsePrefix("10.2.7.0/24")]
		if row == nil || !row.intact || row.hop != netip.MustParseAddr("172.18.0.3") {
			t.Errorf("%s: row %+v", name, row)
		}
	}
}

// A message that ends in the middle is an error wherever it is cut.
func TestReadingHalfAMessage(t *testing.T) {
	whole := insertions(2)
	for length := range whole {
		var lock sync.Mutex
		r := newRoutes("n1", &lock)
		in := newJSONReader(bytes.NewReader(whole[:length]))
		if r.read(in); in.err == nil {
			t.Fatalf("%q is taken", whole[:length])
		}
	}
}

// Maps are shared between rows with the same marks, and only those.
func TestMapsOfRowsStayApart(t *testing.T) {
	text := func(pairs ...[2]string) string {
		out, _ := json.Marshal([]any{"map", append([][2]string{}, pairs...)})
		return string(out)
	}
	one := text([2]string{"a", "1"}, [2]string{"b", "2"})
	in := newJSONReader(bytes.NewReader([]byte(one + one + text([2]string{"b", "2"}) + one + text() + text([2]string{"c", "3"}))))
	first, second, third, fourth := in.textMap(nil, false), in.textMap(nil, false), in.textMap(nil, false), in.textMap(nil, false)
	empty := in.textMap(first, false)
	changed := in.textMap(first, true)
	if fmt.Sprint(first, second, third, fourth, empty, changed) != "map[a:1 b:2] map[a:1 b:2] map[b:2] map[a:1 b:2] map[] map[a:1 b:2 c:3]" || in.err != nil {
		t.Errorf("read %v %v %v %v %v %v: %v", first, second, third, fourth, empty, changed, in.err)
	}
}

// Nothing but the row itself, its text and its place in the tables may be
// allocated for a row: there are a hundred thousand.
func TestReadingARowAllocatesLittle(t *testing.T) {
	const rows = 1000
	message := insertions(rows)
	n := testing.AllocsPerRun(10, func() {
		var lock sync.Mutex
		r := newRoutes("n1", &lock)
		r.read(newJSONReader(bytes.NewReader(message)))
	})
	if n/rows > 3 {
		t.Errorf("%v allocations for a row", n/rows)
	}
}

func BenchmarkReadRows(b *testing.B) {
	message := insertions(1000)
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		var lock sync.Mutex
		r := newRoutes("n1", &lock)
		in := newJSONReader(bytes.NewReader(message))
		if r.read(in); in.err != nil {
			b.Fatal(in.err)
		}
	}
}

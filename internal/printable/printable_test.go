package printable

import "testing"

func TestOnlyWhatIsNotSeenIsEscaped(t *testing.T) {
	for text, want := range map[string]string{
		"worker-1 (10.244.1.0/24) – größer, 節点": "worker-1 (10.244.1.0/24) – größer, 節点",
		"\x1b[31mred\x1b[0m":                    `\x1b[31mred\x1b[0m`,
		"one\ntwo\r\tthree":                     `one\x0atwo\x0d\x09three`,
		"\u202egpj.exe":                         `\u202egpj.exe`,
		"bell\a and C1 \u009b":                  `bell\x07 and C1 \x9b`,
	} {
		if got := Line(text); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
	if got := Cells("a\tb\nc"); got != "a\tb\\x0ac" {
		t.Errorf("cells became %q", got)
	}
}

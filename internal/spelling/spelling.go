// Package spelling suggests the word that someone meant who made a typo. It imports
// only the standard library, so that pure packages may use it.
package spelling

// MaxEdits is how far a name or a label may be from what was meant.
const MaxEdits = 2

// Closest returns the word that differs least from the given one, if by no
// more than limit edits and fewer than a third of its letters, "" otherwise.
// Of equally close words the first one counts.
func Closest(word string, words []string, limit int) string {
	best, least := "", min(limit, max(1, (len(word)-1)/3))+1
	for _, w := range words {
		if d := distance(word, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two words, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

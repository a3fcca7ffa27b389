package main

import (
	"strings"
	"unicode"
)

// toLower follows the whole of Unicode's rules for lower case, as this mapper's siblings in other languages do.
// strings.ToLower takes each letter by itself, and two of them need more: a sigma at the end of a word has a form of its own,
// and the capital I with a dot keeps its dot.
func toLower(text string) string {
	if !strings.ContainsAny(text, "Σİ") {
		return strings.ToLower(text)
	}
	letters := []rune(text)
	var out strings.Builder
	for at, letter := range letters {
		switch {
		case letter == 'İ':
			out.WriteString("i\u0307")
		case letter == 'Σ' && endsWord(letters, at):
			out.WriteRune('ς')
		default:
			out.WriteRune(unicode.ToLower(letter))
		}
	}
	return out.String()
}

// endsWord says whether a cased letter stands before this one and none behind it, ignoring what has no case (the condition
// Final_Sigma of the Unicode Standard, section 3.13).
func endsWord(letters []rune, at int) bool {
	before, behind := at-1, at+1
	for before >= 0 && isCaseIgnorable(letters[before]) {
		before--
	}
	for behind < len(letters) && isCaseIgnorable(letters[behind]) {
		behind++
	}
	return before >= 0 && isCased(letters[before]) && !(behind < len(letters) && isCased(letters[behind]))
}

func isCased(r rune) bool {
	return unicode.In(r, unicode.Upper, unicode.Lower, unicode.Title, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func isCaseIgnorable(r rune) bool {
	// The punctuation is what stands within words: Word_Break is MidLetter, MidNumLet or Single_Quote.
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("':.\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a", r)
}

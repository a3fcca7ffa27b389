package weir

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks over a JSON text (RFC 8259).
type scanner struct {
	text []byte
	at   int
}

// malformed says that a text is not JSON, and where.
type malformed struct {
	message      string
	line, column int
}

func (m *malformed) Error() string {
	return fmt.Sprintf("%s at line %d column %d", m.message, m.line, m.column)
}

func (s *scanner) malformed(message string) error {
	before := string(s.text[:min(s.at, len(s.text))])
	line := strings.Count(before, "\n") + 1
	return &malformed{message, line, len(before) - strings.LastIndexByte(before, '\n')}
}

// peek gives the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// take takes the next byte if it is this one.
func (s *scanner) take(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// end expects that nothing follows.
func (s *scanner) end() error {
	if s.peek(); s.at < len(s.text) {
		return s.malformed("trailing characters")
	}
	return nil
}

// word takes true, false or null.
func (s *scanner) word() (string, error) {
	for _, word := range []string{"true", "false", "null"} {
		if strings.HasPrefix(string(s.text[s.at:min(s.at+5, len(s.text))]), word) {
			s.at += len(word)
			return word, nil
		}
	}
	if s.at >= len(s.text) {
		return "", s.malformed("the text ends where a value is expected")
	}
	return "", s.malformed("expected a value")
}

// number takes a number as it is written.
func (s *scanner) number() (string, error) {
	start := s.at
	digits := func() bool {
		from := s.at
		for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
			s.at++
		}
		return s.at > from
	}
	here := func(set string) bool { return s.at < len(s.text) && strings.IndexByte(set, s.text[s.at]) >= 0 }
	if here("-") {
		s.at++
	}
	if here("0") {
		if s.at++; here("0123456789") {
			return "", s.malformed("invalid number")
		}
	} else if !digits() {
		return "", s.malformed("invalid number")
	}
	if here(".") {
		s.at++
		if !digits() {
			return "", s.malformed("invalid number")
		}
	}
	if here("eE") {
		s.at++
		if here("+-") {
			s.at++
		}
		if !digits() {
			return "", s.malformed("invalid number")
		}
	}
	return string(s.text[start:s.at]), nil
}

// str takes a string and gives what it stands for.
func (s *scanner) str() (string, error) {
	if !s.take('"') {
		return "", s.malformed("expected a string")
	}
	start := s.at
	var out []byte
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case c == '"':
			plain := s.text[start:s.at]
			s.at++
			return string(append(out, plain...)), nil
		case c < ' ':
			return "", s.malformed("a control character in a string")
		case c == '\\':
			out = append(out, s.text[start:s.at]...)
			s.at++
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
			start = s.at
		default:
			s.at++
		}
	}
	return "", s.malformed("the text ends within a string")
}

// escape takes what follows a backslash.
func (s *scanner) escape() (rune, error) {
	if s.at >= len(s.text) {
		return 0, s.malformed("the text ends within a string")
	}
	c := s.text[s.at]
	s.at++
	if c == 'u' {
		return s.codePoint()
	}
	at := strings.IndexByte(`"\/bfnrt`, c)
	if at < 0 {
		return 0, s.malformed("invalid escape")
	}
	return rune("\"\\/\b\f\n\r\t"[at]), nil
}

func (s *scanner) codePoint() (rune, error) {
	first, err := s.hex4()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if s.at+1 < len(s.text) && s.text[s.at] == '\\' && s.text[s.at+1] == 'u' {
		s.at += 2
		second, err := s.hex4()
		if err != nil {
			return 0, err
		}
		if whole := utf16.DecodeRune(first, second); whole != utf8.RuneError {
			return whole, nil
		}
	}
	return 0, s.malformed("half a surrogate pair")
}

func (s *scanner) hex4() (rune, error) {
	var value rune
	for range 4 {
		if s.at >= len(s.text) {
			return 0, s.malformed("the text ends within a string")
		}
		digit := strings.IndexByte("0123456789abcdef", lower(s.text[s.at]))
		if digit < 0 {
			return 0, s.malformed("invalid escape")
		}
		value = value<<4 | rune(digit)
		s.at++
	}
	return value, nil
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// depthMax is how deep lists and objects may lie in each other; Weir itself reads no deeper ones.
const depthMax = 127

// skip takes a value without reading it and gives its text. It does not recurse, so that no depth uses up the stack before
// it is refused.
func (s *scanner) skip() ([]byte, error) {
	s.peek()
	start := s.at
	var open []byte
	for {
		closed, err := s.skipOne(&open)
		if err != nil {
			return nil, err
		}
		for closed && len(open) > 0 {
			if closed, err = s.skipBehind(&open); err != nil {
				return nil, err
			}
		}
		if closed {
			return s.text[start:s.at], nil
		}
	}
}

// skipOne takes a value, or no more than the beginning of a list or object, which it adds to those that are open. It gives
// whether the value is complete.
func (s *scanner) skipOne(open *[]byte) (bool, error) {
	switch c := s.peek(); {
	case (c == '{' || c == '[') && len(*open) == depthMax:
		return false, s.malformed(fmt.Sprintf("nested more than %d deep", depthMax))
	case c == '{':
		s.at++
		if s.take('}') {
			return true, nil
		}
		*open = append(*open, '}')
		return false, s.skipName()
	case c == '[':
		s.at++
		if s.take(']') {
			return true, nil
		}
		*open = append(*open, ']')
		return false, nil
	case c == '"':
		return true, s.skipString()
	case c == '-' || '0' <= c && c <= '9':
		_, err := s.number()
		return true, err
	default:
		_, err := s.word()
		return true, err
	}
}

// skipBehind takes what stands behind a value within a list or object, and gives whether that closes it.
func (s *scanner) skipBehind(open *[]byte) (bool, error) {
	last := (*open)[len(*open)-1]
	if s.take(last) {
		*open = (*open)[:len(*open)-1]
		return true, nil
	}
	if !s.take(',') {
		return false, s.malformed(fmt.Sprintf("expected `,` or `%c`", last))
	}
	if last == '}' {
		return false, s.skipName()
	}
	return false, nil
}

func (s *scanner) skipName() error {
	if s.peek() != '"' {
		return s.malformed("expected a string")
	}
	if err := s.skipString(); err != nil {
		return err
	}
	if !s.take(':') {
		return s.malformed("expected `:`")
	}
	return nil
}

// skipString takes a string without asking whether it is text: what nobody reads need not be.
func (s *scanner) skipString() error {
	for s.at++; s.at < len(s.text); {
		c := s.text[s.at]
		s.at++
		switch {
		case c == '"':
			return nil
		case c < ' ':
			return s.malformed("a control character in a string")
		case c == '\\' && s.at < len(s.text) && s.text[s.at] == 'u':
			s.at++
			if _, err := s.hex4(); err != nil {
				return err
			}
		case c == '\\':
			if _, err := s.escape(); err != nil {
				return err
			}
		}
	}
	return s.malformed("the text ends within a string")
}

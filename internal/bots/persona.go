package bots

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/baas-platform/baas"
)

// systemPrompt is the persona's own prompt and its sliders in words.
func systemPrompt(p baas.Assistant) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(p.SystemPrompt))
	// Five zeros are what a persona has whose sliders nobody touched.
	if p.Personality == (baas.Personality{}) {
		return b.String()
	}
	var traits []string
	for _, s := range []struct {
		value     int
		low, high string
	}{
		{p.Personality.Formality, "informal", "formal"},
		{p.Personality.Humor, "serious", "humorous"},
		{p.Personality.Empathy, "matter-of-fact", "empathetic"},
		{p.Personality.Verbosity, "brief", "detailed"},
		{p.Personality.Creativity, "literal", "creative"},
	} {
		if t := trait(s.value, s.low, s.high); t != "" {
			traits = append(traits, t)
		}
	}
	if len(traits) > 0 {
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString("Style: be " + strings.Join(traits, ", ") + ".")
	}
	return b.String()
}

// trait puts a slider in words; the middle says nothing.
func trait(value int, low, high string) string {
	switch {
	case value <= 15:
		return "very " + low
	case value <= 40:
		return "rather " + low
	case value < 60:
		return ""
	case value < 85:
		return "rather " + high
	}
	return "very " + high
}

// normalize reduces a text to lower-case words without accents, each followed by one space and the first after one,
// so that a phrase is contained in a text as whole words when its normal form is. "" when there is no word.
func normalize(s string) string {
	var b strings.Builder
	space := true
	b.WriteByte(' ')
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
			space = false
		case !space:
			b.WriteByte(' ')
			space = true
		}
	}
	if !space {
		b.WriteByte(' ')
	}
	if b.Len() == 1 {
		return ""
	}
	return b.String()
}

// asksForPerson reports whether a text says one of the triggers, which are normalized.
func asksForPerson(text string, triggers []string) bool {
	if len(triggers) == 0 {
		return false
	}
	text = normalize(text)
	for _, t := range triggers {
		if strings.Contains(text, t) {
			return true
		}
	}
	return false
}

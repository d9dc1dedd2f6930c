package agentapi

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/baas-platform/baas"
)

// maxText is the longest text of an agent that is given on, in characters.
const maxText = 500

// maxChecks is the most checks that a report has: three of each channel.
const maxChecks = 6

// tame makes a status fit to be stored and shown, whoever wrote it: texts are short and printable, states are known
// ones, and counts aren't negative.
func (s *Status) tame() {
	s.Version, s.Boot = clean(s.Version), clean(s.Boot)
	s.Revision = max(s.Revision, 0)
	for i := range s.Bots {
		b := &s.Bots[i]
		b.Reason = clean(b.Reason)
		b.Restarts = max(b.Restarts, 0)
		if !slices.Contains(baas.BotStates(), b.State) {
			b.State, b.Reason = baas.BotFailed, "its Worker reports a state that the platform doesn't know"
		}
		if b.ExitCode != nil && (*b.ExitCode < -1 || *b.ExitCode > 255) {
			b.ExitCode = nil
		}
	}
	u := &s.Usage
	for _, n := range []*int64{&u.CPUMillis, &u.MemoryBytes, &u.DiskBytes, &u.DiskLimit} {
		*n = max(*n, 0)
	}
}

// tame makes a report fit to be shown: as many checks as there can be, of known kinds, with short texts.
func (r *ChannelReport) tame() {
	known := r.Checks[:0]
	for _, c := range r.Checks {
		if len(known) == maxChecks || c.Channel != baas.ChannelTelegram && c.Channel != baas.ChannelWhatsApp ||
			c.Check != baas.CheckSecrets && c.Check != baas.CheckAccount && c.Check != baas.CheckWebhook {
			continue
		}
		if !slices.Contains(baas.ChannelCodes(), c.Code) {
			c.Code = baas.ChannelRefused
		}
		c.OK = c.Code == baas.ChannelOK
		c.Message, c.Detail, c.Account = clean(c.Message), clean(c.Detail), clean(c.Account)
		known = append(known, c)
	}
	r.Checks = known
}

// clean cuts a text and takes out what can't be printed.
func clean(text string) string {
	if len(text) <= maxText && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > maxText {
			b.WriteString("…")
			break
		}
		if unicode.IsControl(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

package bots

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// What a platform accepts as an update must be storable and lead to one chat, whatever the bytes are.
func checkItem(t *testing.T, it item) {
	t.Helper()
	if it.ID == "" || it.Chat == "" {
		t.Errorf("an item without id or chat: %+v", it)
	}
	var in incoming
	if err := json.Unmarshal(it.Body, &in); err != nil {
		t.Errorf("a body that can't be read again: %v", err)
	}
	if in.Lang != portuguese && in.Lang != english {
		t.Errorf("language %d", in.Lang)
	}
	raw, err := encodeLines([]record{{In: &it}})
	if err != nil {
		t.Fatal(err)
	}
	back := parseLines[record](raw)
	if len(back) != 1 || back[0].In == nil || strings.Count(string(raw), "\n") != 1 {
		t.Errorf("the line %q is not read back as one item", raw)
	}
	k := key{channelTelegram, it.Chat}
	if f := k.file(); strings.ContainsAny(f, "/\\") || len(f) != 70 {
		t.Errorf("the file name is %q", f)
	}
}

func FuzzTelegram(f *testing.F) {
	f.Add([]byte(`{"update_id":1,"message":{"chat":{"id":7},"from":{"language_code":"pt"},"text":"oi"}}`))
	f.Add([]byte(`{"update_id":-1,"message":{"chat":{"id":-100},"caption":"\u0000"}}`))
	f.Add([]byte(`{"update_id":99999999999999999999}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		it, wanted, err := parseTelegram(raw)
		if err != nil && wanted {
			t.Error("a refused update is wanted")
		}
		if wanted {
			checkItem(t, it)
		}
	})
}

func FuzzWhatsApp(f *testing.F) {
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"1"},` +
		`"messages":[{"id":"a","from":"55","type":"text","text":{"body":"oi"}},{"id":"b","from":"55","type":"interactive","interactive":{"list_reply":{"id":"x"}}}]}}]}]}`))
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[{}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		items, err := parseWhatsApp(raw, "1")
		if err != nil && len(items) > 0 {
			t.Error("a refused notification has messages")
		}
		for _, it := range items {
			checkItem(t, it)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("uma frase\ncom linhas 😀😀😀", 5)
	f.Add("\xff\xfe", 1)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 2 + min(max(limit, 0), 5000)
		s = strings.ToValidUTF8(s, "?")
		parts := split(s, limit)
		if strings.Join(parts, "") != s {
			t.Error("something is lost")
		}
		for _, p := range parts {
			units := 0
			for _, r := range p {
				units++
				if r > 0xFFFF {
					units++
				}
			}
			if units > limit || p == "" || !utf8.ValidString(p) {
				t.Errorf("a part of %d units with the limit %d: %q", units, limit, p)
			}
		}
	})
}

package bots

import "strings"

// lang is the language of the few texts that no persona wrote.
type lang int

const (
	portuguese lang = iota
	english
)

// text is one of these texts.
type text int

const (
	textHandoff text = iota
	textFailed
	textSlow
	textOnlyText
	textChoose
	textOptions
	textHello
)

var texts = [...][2]string{
	textHandoff:  {"Certo, uma pessoa vai continuar o atendimento por aqui.", "All right, a person will take over from here."},
	textFailed:   {"Desculpe, não consegui responder agora. Tente de novo em instantes.", "Sorry, I couldn't answer just now. Please try again in a moment."},
	textSlow:     {"Desculpe, a resposta demorou demais. Tente de novo em instantes.", "Sorry, the answer took too long. Please try again in a moment."},
	textOnlyText: {"Por enquanto só entendo mensagens de texto.", "For now I only understand text messages."},
	textChoose:   {"Escolha uma opção:", "Choose an option:"},
	textOptions:  {"Opções", "Options"},
	textHello:    {"Olá! Como posso ajudar?", "Hello! How can I help?"},
}

func say(l lang, t text) string { return texts[t][l] }

// langOf chooses by a language tag or an Accept-Language header, which names the preferred language first. Without
// one it is Portuguese.
func langOf(tag string) lang {
	tag = strings.ToLower(strings.TrimSpace(tag))
	if tag == "" || tag == "*" || strings.HasPrefix(tag, "pt") {
		return portuguese
	}
	return english
}

// langOfPhone chooses by the country of a number: Brazil, Portugal, Angola, Mozambique, Cape Verde.
func langOfPhone(number string) lang {
	for _, country := range []string{"55", "351", "244", "258", "238"} {
		if strings.HasPrefix(number, country) {
			return portuguese
		}
	}
	return english
}

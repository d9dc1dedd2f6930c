package bots

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
)

// checkTimeout bounds one question to a chat platform's API.
const checkTimeout = 8 * time.Second

// telegramSecret is what setWebhook takes as secret_token.
var telegramSecret = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CheckChannels asks chat platforms whether the channels of an assistant work, and sets Telegram's webhook first if
// the query says so. Checks that depend on one that failed are left out. It keeps to about half a minute.
func CheckChannels(ctx context.Context, client *http.Client, q agentapi.ChannelQuery) []baas.ChannelCheck {
	p := q.Assistant
	c := checker{client: client, redact: redactor(p.TelegramToken, p.TelegramWebhookSecret, p.WhatsAppAccessToken, p.WhatsAppAppSecret, p.WhatsAppVerifyToken)}
	if p.Telegram != nil {
		c.telegram(ctx, q)
	}
	if p.WhatsApp != nil && !q.SetWebhook {
		c.whatsapp(ctx, p)
	}
	return c.checks
}

type checker struct {
	client *http.Client
	redact *strings.Replacer
	checks []baas.ChannelCheck
}

func (c *checker) well(channel baas.Channel, what baas.ChannelSubject, account, message string) {
	c.checks = append(c.checks, baas.ChannelCheck{Channel: channel, Check: what, OK: true, Code: baas.ChannelOK, Account: clip(account, 200), Message: message})
}

func (c *checker) ill(channel baas.Channel, what baas.ChannelSubject, code baas.ChannelCode, detail, message string) {
	c.checks = append(c.checks, baas.ChannelCheck{Channel: channel, Check: what, Code: code, Detail: clip(c.redact.Replace(detail), 300), Message: message})
}

// fault is what is wrong with an answer.
type fault struct {
	code            baas.ChannelCode
	detail, message string
}

// secrets reports the first secret without a value.
func (c *checker) secrets(channel baas.Channel, refs []agentapi.SecretRef) bool {
	for _, r := range refs {
		if *r.Value == "" {
			c.ill(channel, baas.CheckSecrets, baas.ChannelNoSecret, r.Name, "the secret "+r.Name+" has no value that this bot may use; set it")
			return false
		}
	}
	return true
}

func (c *checker) telegram(ctx context.Context, q agentapi.ChannelQuery) {
	const channel = baas.ChannelTelegram
	p := q.Assistant
	p.WhatsApp = nil
	if !c.secrets(channel, p.ChannelSecretRefs()) {
		return
	}
	if !telegramSecret.MatchString(p.TelegramWebhookSecret) {
		name := p.Telegram.WebhookSecretSecret
		c.ill(channel, baas.CheckSecrets, baas.ChannelBadSecret, name, "the secret "+name+" must be 1 to 256 letters, digits, _ and -: Telegram takes nothing else")
		return
	}
	c.well(channel, baas.CheckSecrets, "", "the secrets have values")
	base := strings.TrimSuffix(or(p.Telegram.APIBase, "https://api.telegram.org"), "/") + "/bot" + p.TelegramToken
	var me struct {
		Username string `json:"username"`
	}
	if f := c.askTelegram(ctx, base+"/getMe", nil, &me); f != nil {
		c.ill(channel, baas.CheckAccount, f.code, f.detail, f.message)
		return
	}
	c.well(channel, baas.CheckAccount, "@"+me.Username, "Telegram knows the token")
	if q.SetWebhook {
		body := map[string]any{"url": q.TelegramWebhook, "secret_token": p.TelegramWebhookSecret, "allowed_updates": []string{"message"}}
		if f := c.askTelegram(ctx, base+"/setWebhook", body, nil); f != nil {
			c.ill(channel, baas.CheckWebhook, f.code, f.detail, f.message)
			return
		}
	}
	var hook struct {
		URL     string `json:"url"`
		Pending int    `json:"pending_update_count"`
		Error   string `json:"last_error_message"`
	}
	f := c.askTelegram(ctx, base+"/getWebhookInfo", nil, &hook)
	switch {
	case f != nil:
		c.ill(channel, baas.CheckWebhook, f.code, f.detail, f.message)
	case hook.URL == "":
		c.ill(channel, baas.CheckWebhook, baas.ChannelNoWebhook, "", "Telegram doesn't know where to send messages; set the webhook")
	case hook.URL != q.TelegramWebhook:
		c.ill(channel, baas.CheckWebhook, baas.ChannelOtherWebhook, hook.URL, "Telegram sends messages to another address; set the webhook to get them here")
	case hook.Pending > 0 && hook.Error != "" && !q.SetWebhook: // of before it was set, the error tells nothing
		c.ill(channel, baas.CheckWebhook, baas.ChannelWebhookFails, hook.Error,
			fmt.Sprintf("%d messages wait because Telegram can't deliver them; see that the bot runs and its address can be reached from the internet", hook.Pending))
	default:
		c.well(channel, baas.CheckWebhook, "", "Telegram sends messages to this bot")
	}
}

// askTelegram calls a method of the Bot API and reads its result into out, unless nil.
func (c *checker) askTelegram(ctx context.Context, address string, body, out any) *fault {
	status, raw, f := c.ask(ctx, address, "", body)
	if f != nil {
		return f
	}
	var a struct {
		OK          *bool           `json:"ok"`
		Result      json.RawMessage `json:"result"`
		Description string          `json:"description"`
	}
	if json.Unmarshal(raw, &a) != nil || a.OK == nil {
		return notTheAPI(status, "Telegram's Bot API")
	}
	switch {
	case *a.OK:
		if out != nil && json.Unmarshal(a.Result, out) != nil {
			return notTheAPI(status, "Telegram's Bot API")
		}
		return nil
	case status == http.StatusUnauthorized || status == http.StatusNotFound: // the latter for what doesn't look like a token
		return &fault{baas.ChannelBadToken, a.Description, "Telegram refuses the token; copy it again from @BotFather and save it"}
	case status == http.StatusTooManyRequests:
		return &fault{baas.ChannelRateLimited, a.Description, "Telegram asks for a pause; try again in a minute"}
	case status >= http.StatusInternalServerError:
		return &fault{baas.ChannelUnreachable, a.Description, "Telegram has trouble; try again later"}
	}
	return &fault{baas.ChannelRefused, a.Description, "Telegram refuses this and says why"}
}

func (c *checker) whatsapp(ctx context.Context, p agentapi.AssistantConfig) {
	const channel = baas.ChannelWhatsApp
	p.Telegram = nil
	if !c.secrets(channel, p.ChannelSecretRefs()) {
		return
	}
	c.well(channel, baas.CheckSecrets, "", "the secrets have values")
	base := strings.TrimSuffix(or(p.WhatsApp.APIBase, "https://graph.facebook.com/v21.0"), "/")
	var number struct {
		ID      string `json:"id"`
		Display string `json:"display_phone_number"`
		Name    string `json:"verified_name"`
	}
	if f := c.askGraph(ctx, base+"/"+url.PathEscape(p.WhatsApp.PhoneNumberID)+"?fields=id,display_phone_number,verified_name", p.WhatsAppAccessToken, &number); f != nil {
		c.ill(channel, baas.CheckAccount, f.code, f.detail, f.message)
		return
	}
	if number.Display == "" {
		c.ill(channel, baas.CheckAccount, baas.ChannelNoNumber, p.WhatsApp.PhoneNumberID, "this is no number of WhatsApp's; copy the Phone number ID, not the number, from the app's API set-up")
		return
	}
	c.well(channel, baas.CheckAccount, strings.TrimSpace(number.Display+" "+number.Name), "Meta knows the token and the number")
}

// askGraph reads from Meta's Graph API.
func (c *checker) askGraph(ctx context.Context, address, token string, out any) *fault {
	status, raw, f := c.ask(ctx, address, token, nil)
	if f != nil {
		return f
	}
	if status == http.StatusOK {
		if json.Unmarshal(raw, out) != nil {
			return notTheAPI(status, "Meta's Graph API")
		}
		return nil
	}
	var a struct {
		Error *struct {
			Message string `json:"message"`
			Code    int    `json:"code"`
			Subcode int    `json:"error_subcode"`
		} `json:"error"`
	}
	if json.Unmarshal(raw, &a) != nil || a.Error == nil {
		return notTheAPI(status, "Meta's Graph API")
	}
	e := a.Error
	switch {
	case e.Code == 190 || status == http.StatusUnauthorized:
		return &fault{baas.ChannelBadToken, e.Message, "Meta refuses the access token; it is wrong or expired: make a permanent one of a system user and save it"}
	case e.Code == 100 || e.Code == 803 || status == http.StatusNotFound:
		return &fault{baas.ChannelNoNumber, e.Message, "Meta finds no such number for this token; copy the Phone number ID again, and see that the token's app has the WhatsApp account"}
	case e.Code == 10 || e.Code >= 200 && e.Code <= 299 || status == http.StatusForbidden:
		return &fault{baas.ChannelNoPermission, e.Message, "the token lacks a permission; it takes whatsapp_business_messaging and whatsapp_business_management"}
	case refusedByWhatsApp(status, raw).again && status < http.StatusInternalServerError:
		return &fault{baas.ChannelRateLimited, e.Message, "Meta asks for a pause; try again in some minutes"}
	case status >= http.StatusInternalServerError:
		return &fault{baas.ChannelUnreachable, e.Message, "Meta has trouble; try again later"}
	}
	return &fault{baas.ChannelRefused, e.Message, "Meta refuses this and says why"}
}

func notTheAPI(status int, name string) *fault {
	return &fault{baas.ChannelNotTheAPI, fmt.Sprintf("status %d", status), "what answers is not " + name + "; see api_base"}
}

// ask sends one request, a POST when it has a body, and reads a bounded answer. Redirects aren't followed: no API of these sends one.
func (c *checker) ask(ctx context.Context, address, bearer string, body any) (status int, raw []byte, f *fault) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	method, rd := http.MethodGet, io.Reader(http.NoBody)
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, unreachable(err)
		}
		method, rd = http.MethodPost, bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, rd)
	if err != nil {
		return 0, nil, unreachable(errors.New("the address can't be used"))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	once := *c.client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := once.Do(req)
	if err != nil {
		return 0, nil, unreachable(err)
	}
	defer res.Body.Close()
	if raw, err = io.ReadAll(io.LimitReader(res.Body, 64<<10)); err != nil {
		return 0, nil, unreachable(err)
	}
	return res.StatusCode, raw, nil
}

// unreachable leaves the address out of the detail: Telegram's holds the token.
func unreachable(err error) *fault {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	detail := err.Error()
	if errors.Is(err, context.DeadlineExceeded) {
		detail = "no answer within " + checkTimeout.String()
	}
	return &fault{baas.ChannelUnreachable, detail, "the platform's API can't be reached from the Worker; see that its network lets it out, and try again"}
}

package app

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/agentapi"
	"github.com/baas-platform/baas/internal/authz"
	"github.com/baas-platform/baas/internal/engine"
)

type authCache struct{}

func newAuthCache(time.Duration) *authCache { return nil }
func (*authCache) change(baas.Change)       {}

type LogIn struct {
	User      baas.User
	Secret    string
	ExpiresAt time.Time
}

type (
	A = authz.Actor
	C = context.Context
)

func (a *App) LogIn(C, baas.Credentials) (LogIn, error)                        { panic("") }
func (a *App) LogOut(C, A) error                                               { panic("") }
func (a *App) Authenticate(C, string) (A, error)                               { panic("") }
func (a *App) Account(C, A) (baas.Account, error)                              { panic("") }
func (a *App) UpdateAccount(C, A, baas.AccountUpdate) (baas.Account, error)    { panic("") }
func (a *App) Memberships(C, A) ([]baas.Membership, error)                     { panic("") }
func (a *App) AcceptInvitation(C, baas.InvitationAccept) (LogIn, error)        { panic("") }
func (a *App) Capabilities(C, A) (engine.Capabilities, error)                  { panic("") }
func (a *App) Plans(C, A) ([]baas.Plan, error)                                 { panic("") }
func (a *App) PutPlan(C, A, baas.Plan) (baas.Plan, error)                      { panic("") }
func (a *App) Tenants(C, A, baas.TenantFilter) (baas.List[baas.Tenant], error) { panic("") }
func (a *App) CreateTenant(C, A, baas.TenantCreate) (baas.Tenant, error)       { panic("") }
func (a *App) Tenant(C, A, string) (baas.Tenant, error)                        { panic("") }
func (a *App) UpdateTenant(C, A, string, int64, baas.TenantUpdate) (baas.Tenant, error) {
	panic("")
}
func (a *App) DeleteTenant(C, A, string, string) error              { panic("") }
func (a *App) TenantTotals(C, A, string) (baas.TenantTotals, error) { panic("") }
func (a *App) Members(C, A, string, string, baas.Page) (baas.List[baas.Member], error) {
	panic("")
}
func (a *App) Member(C, A, string, string) (baas.Member, error) { panic("") }
func (a *App) UpdateMember(C, A, string, string, baas.MemberUpdate) (baas.Member, error) {
	panic("")
}
func (a *App) RemoveMember(C, A, string, string) error { panic("") }
func (a *App) Invitations(C, A, string, baas.Page) (baas.List[baas.Invitation], error) {
	panic("")
}
func (a *App) CreateInvitation(C, A, string, baas.InvitationCreate) (baas.NewInvitation, error) {
	panic("")
}
func (a *App) DeleteInvitation(C, A, string, string) error                       { panic("") }
func (a *App) Tokens(C, A, string, baas.Page) (baas.List[baas.Token], error)     { panic("") }
func (a *App) CreateToken(C, A, string, baas.TokenCreate) (baas.NewToken, error) { panic("") }
func (a *App) DeleteToken(C, A, string, string) error                            { panic("") }
func (a *App) Secrets(C, A, string, baas.Page) (baas.List[baas.Secret], error)   { panic("") }
func (a *App) PutSecret(C, A, string, string, baas.SecretPut) (baas.Secret, error) {
	panic("")
}
func (a *App) DeleteSecret(C, A, string, string, string) error { panic("") }
func (a *App) Workers(C, A, string, baas.WorkerFilter) (baas.List[baas.Worker], error) {
	panic("")
}
func (a *App) CreateWorker(C, A, string, baas.WorkerCreate) (baas.Worker, error) { panic("") }
func (a *App) Worker(C, A, string, string) (baas.Worker, error)                  { panic("") }
func (a *App) UpdateWorker(C, A, string, string, int64, baas.WorkerUpdate) (baas.Worker, error) {
	panic("")
}
func (a *App) DeleteWorker(C, A, string, string, string) (baas.Worker, error) { panic("") }
func (a *App) StartWorker(C, A, string, string) (baas.Worker, error)          { panic("") }
func (a *App) StopWorker(C, A, string, string) (baas.Worker, error)           { panic("") }
func (a *App) RestartWorker(C, A, string, string) (baas.Worker, error)        { panic("") }
func (a *App) ResizeWorker(C, A, string, string, int64, baas.Size) (baas.Resized, error) {
	panic("")
}
func (a *App) Bots(C, A, string, baas.BotFilter) (baas.List[baas.Bot], error) { panic("") }
func (a *App) CreateBot(C, A, string, baas.BotCreate) (baas.Bot, error)       { panic("") }
func (a *App) Bot(C, A, string, string) (baas.Bot, error)                     { panic("") }
func (a *App) UpdateBot(C, A, string, string, int64, baas.BotUpdate) (baas.Bot, error) {
	panic("")
}
func (a *App) DeleteBot(C, A, string, string, string) error      { panic("") }
func (a *App) StartBot(C, A, string, string) (baas.Bot, error)   { panic("") }
func (a *App) StopBot(C, A, string, string) (baas.Bot, error)    { panic("") }
func (a *App) RestartBot(C, A, string, string) (baas.Bot, error) { panic("") }
func (a *App) PutFiles(C, A, string, string, io.Reader) (baas.Bot, error) {
	panic("")
}
func (a *App) Logs(C, A, string, string, agentapi.LogQuery) (iter.Seq2[agentapi.LogLine, error], error) {
	panic("")
}
func (a *App) SendMessage(C, A, string, string, baas.BotMessage) (baas.BotReply, error) {
	panic("")
}
func (a *App) Preview(C, A, string, string) (baas.Preview, error)               { panic("") }
func (a *App) NewAccessToken(C, A, string, string) (baas.NewAccessToken, error) { panic("") }
func (a *App) MoveBot(C, A, string, string, baas.MoveCreate) (baas.Move, error) { panic("") }
func (a *App) Moves(C, A, string, string, baas.Page) (baas.List[baas.Move], error) {
	panic("")
}
func (a *App) Move(C, A, string, string) (baas.Move, error) { panic("") }
func (a *App) Events(C, A, string, baas.EventFilter) (baas.List[baas.Event], error) {
	panic("")
}
func (a *App) Changes(C, A, string) (<-chan baas.Change, string, error) { panic("") }

const TokenPrefix = "baas_"

func (a *App) Usage(C, A, string, baas.UsageQuery) ([]baas.UsagePoint, error) {
	panic("")
}

package authz

import (
	"slices"

	"github.com/baas-platform/baas"
)

// Action is something that can be done, as "noun.verb".
type Action string

// The actions.
const (
	AccountRead   Action = "account.read"
	AccountUpdate Action = "account.update"
	PlanRead      Action = "plan.read"
	PlanWrite     Action = "plan.write"
	EngineRead    Action = "engine.read"   // its capabilities
	PlatformRead  Action = "platform.read" // its health

	TenantListAll  Action = "tenant.list_all" // those of others
	TenantCreate   Action = "tenant.create"
	TenantRead     Action = "tenant.read" // its settings and totals
	TenantUpdate   Action = "tenant.update"
	TenantGovern   Action = "tenant.govern" // plan and status
	SupportRead    Action = "support.read"
	SupportOpen    Action = "support.open"
	SupportEnd     Action = "support.end"
	TenantDelete   Action = "tenant.delete"
	MemberRead     Action = "member.read"
	MemberWrite    Action = "member.write"
	MemberLeave    Action = "member.leave" // oneself
	InvitationRead Action = "invitation.read"
	InviteMember   Action = "invitation.write"
	TokenOwn       Action = "token.own" // list, make and delete one's own
	TokenAll       Action = "token.all" // list and delete those of others

	SecretRead   Action = "secret.read" // names, never values
	SecretWrite  Action = "secret.write"
	SecretShared Action = "secret.write_shared" // those that every Worker may use

	WorkerRead    Action = "worker.read"
	WorkerCreate  Action = "worker.create"
	WorkerUpdate  Action = "worker.update" // name, image, isolation, size
	WorkerControl Action = "worker.control"
	WorkerDelete  Action = "worker.delete"

	BotRead    Action = "bot.read"
	BotCreate  Action = "bot.create"
	BotUpdate  Action = "bot.update" // settings and files
	BotFiles   Action = "bot.files"  // read what was uploaded
	BotControl Action = "bot.control"
	BotMove    Action = "bot.move"
	BotDelete  Action = "bot.delete"
	BotTalk    Action = "bot.talk"   // test messages and previews
	BotAccess  Action = "bot.access" // its access token
	LogRead    Action = "log.read"

	EventRead Action = "event.read"
	UsageRead Action = "usage.read"
)

// Actions lists every action in the order of its name.
func Actions() []Action {
	as := make([]Action, 0, len(rules))
	for a := range rules {
		as = append(as, a)
	}
	slices.Sort(as)
	return as
}

// rule says who may do an action.
type rule struct {
	self     bool       // everybody who is logged in
	session  bool       // not with an API token
	platform bool       // not within a tenant
	operator bool       // operators of the platform may
	least    baas.Role  // the least role of a member that may; "": none
	whole    bool       // not for members who are limited to some Workers
	member   bool       // for members alone, not in support mode: what outlasts it or destroys data
	always   bool       // also while the tenant is suspended
	scope    baas.Scope // what an API token needs; also: all but read are refused while suspended
}

var rules = map[Action]rule{
	AccountRead:   {self: true, scope: baas.ScopeRead},
	AccountUpdate: {self: true, session: true},
	PlanRead:      {self: true, scope: baas.ScopeRead},
	PlanWrite:     {platform: true, operator: true, session: true},
	EngineRead:    {self: true, scope: baas.ScopeRead},
	PlatformRead:  {platform: true, operator: true, session: true},

	TenantListAll:  {platform: true, operator: true, session: true},
	TenantCreate:   {platform: true, operator: true, session: true},
	TenantRead:     {operator: true, least: baas.RoleViewer, scope: baas.ScopeRead},
	TenantUpdate:   {operator: true, least: baas.RoleOwner, whole: true, scope: baas.ScopeAdmin},
	TenantGovern:   {platform: true, operator: true, session: true},
	TenantDelete:   {operator: true, least: baas.RoleOwner, whole: true, scope: baas.ScopeAdmin},
	SupportRead:    {operator: true, least: baas.RoleViewer, scope: baas.ScopeRead},
	SupportOpen:    {platform: true, operator: true, session: true},
	SupportEnd:     {operator: true, least: baas.RoleOwner, whole: true, scope: baas.ScopeAdmin, always: true},
	MemberRead:     {least: baas.RoleViewer, whole: true, scope: baas.ScopeRead},
	MemberWrite:    {least: baas.RoleAdmin, whole: true, scope: baas.ScopeAdmin},
	MemberLeave:    {least: baas.RoleViewer, scope: baas.ScopeAdmin, member: true},
	InvitationRead: {operator: true, least: baas.RoleAdmin, whole: true, scope: baas.ScopeRead},
	InviteMember:   {operator: true, least: baas.RoleAdmin, whole: true, scope: baas.ScopeAdmin},
	TokenOwn:       {least: baas.RoleViewer, scope: baas.ScopeAdmin, member: true},
	TokenAll:       {least: baas.RoleAdmin, whole: true, scope: baas.ScopeAdmin},

	SecretRead:   {least: baas.RoleViewer, scope: baas.ScopeRead},
	SecretWrite:  {least: baas.RoleAdmin, scope: baas.ScopeWrite},
	SecretShared: {least: baas.RoleAdmin, whole: true, scope: baas.ScopeWrite},

	WorkerRead:    {least: baas.RoleViewer, scope: baas.ScopeRead},
	WorkerCreate:  {least: baas.RoleAdmin, whole: true, scope: baas.ScopeWrite},
	WorkerUpdate:  {least: baas.RoleAdmin, scope: baas.ScopeWrite},
	WorkerControl: {least: baas.RoleOperator, scope: baas.ScopeWrite},
	WorkerDelete:  {least: baas.RoleAdmin, scope: baas.ScopeWrite},

	BotRead:    {least: baas.RoleViewer, scope: baas.ScopeRead},
	BotCreate:  {least: baas.RoleOperator, scope: baas.ScopeWrite},
	BotUpdate:  {least: baas.RoleOperator, scope: baas.ScopeWrite},
	BotFiles:   {least: baas.RoleOperator, scope: baas.ScopeRead, member: true},
	BotControl: {least: baas.RoleOperator, scope: baas.ScopeWrite},
	BotMove:    {least: baas.RoleOperator, scope: baas.ScopeWrite},
	BotDelete:  {least: baas.RoleOperator, scope: baas.ScopeWrite, member: true},
	BotTalk:    {least: baas.RoleOperator, scope: baas.ScopeWrite},
	BotAccess:  {least: baas.RoleOperator, scope: baas.ScopeWrite, member: true},
	LogRead:    {least: baas.RoleViewer, scope: baas.ScopeRead},

	EventRead: {least: baas.RoleViewer, scope: baas.ScopeRead},
	UsageRead: {least: baas.RoleViewer, scope: baas.ScopeRead},
}

package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/internal/app"
	"github.com/baas-platform/baas/internal/authz"
)

// DemoPassword is the password of every demo log-in.
const DemoPassword = "demonstracao"

// Person is a demo log-in.
type Person struct{ Email, What string }

const demoOperator = "operador@baas.example"

// demoGuest works for two of the clients, and sees one Worker of each.
func demoGuest() Person {
	return Person{"paula@contabilidade.example", "accountant of Cliente A and Cliente B: sees one Worker of each"}
}

type demoBot struct {
	name, prompt, welcome string
	replies               []string
}

type demoWorker struct {
	name string
	size baas.Size
	bots []demoBot
}

type demoClient struct {
	name, plan string
	owner      Person
	ownerName  string
	workers    []demoWorker
	guest      string // name of the Worker that demoGuest sees, "" for a client without her
}

// demoClients are the three shapes of client: one Worker a department, finance apart, one for everything.
func demoClients() []demoClient {
	small := baas.Size{CPUMillis: 250, MemoryMiB: 256, DiskGiB: 1}
	return []demoClient{
		{name: "Cliente A", plan: baas.PlanEnterprise, owner: Person{"ana@cliente-a.example", "owner of Cliente A: one Worker per department"}, ownerName: "Ana Souza", guest: "Financeiro/Tributário",
			workers: []demoWorker{
				{"Financeiro/Tributário", baas.Size{CPUMillis: 500, MemoryMiB: 512, DiskGiB: 2}, []demoBot{
					{"Contas a Pagar", "Você ajuda fornecedores a saber quando serão pagos.", "Olá! Sou o assistente de contas a pagar. Qual é o número da nota?", []string{"Previsão de pagamento", "Enviar nota fiscal"}},
					{"Tributário", "Você responde dúvidas sobre impostos e guias.", "Olá! Pergunte sobre guias e prazos.", []string{"Prazo do ICMS", "Segunda via da guia"}},
				}},
				{"Operações", small, []demoBot{
					{"Rastreio de Pedidos", "Você informa onde está cada pedido.", "Olá! Informe o número do pedido.", []string{"Onde está meu pedido?"}},
				}},
				{"Atendimento", small, []demoBot{
					{"Atendimento ao Cliente", "Você atende clientes com simpatia e clareza.", "Oi! Como posso ajudar?", []string{"Falar com uma pessoa", "Horário de atendimento"}},
				}},
			}},
		{name: "Cliente B", plan: baas.PlanPro, owner: Person{"bruno@cliente-b.example", "owner of Cliente B: finance apart from the rest"}, ownerName: "Bruno Lima", guest: "Financeiro",
			workers: []demoWorker{
				{"Financeiro", small, []demoBot{{"Cobrança", "Você lembra clientes de boletos com educação.", "Olá! Posso enviar a segunda via do boleto.", []string{"Segunda via"}}}},
				{"Geral", small, []demoBot{{"Recepção", "Você recebe quem chega e encaminha ao setor certo.", "Bem-vindo! Com qual setor você quer falar?", []string{"Vendas", "Suporte"}}}},
			}},
		{name: "Cliente C", plan: baas.PlanFree, owner: Person{"carla@cliente-c.example", "owner of Cliente C: one Worker for everything"}, ownerName: "Carla Dias",
			workers: []demoWorker{
				{"Única", small, []demoBot{{"Faz-tudo", "Você responde sobre a loja, pedidos e horários.", "Oi! Pergunte o que quiser sobre a loja.", []string{"Horário", "Endereço"}}}},
			}},
	}
}

// Prepare makes the configured operator and, when asked for, the demo clients of an empty database. It gives the demo
// log-ins when there are any. May be repeated, also after it was interrupted.
func (s *Server) Prepare(ctx context.Context) ([]Person, error) {
	if s.cfg.OperatorEmail != "" {
		if err := s.app.EnsureOperator(ctx, s.cfg.OperatorEmail, "Operator", s.cfg.OperatorPassword); err != nil {
			return nil, fmt.Errorf("making the operator: %w", err)
		}
	}
	if !s.cfg.Demo {
		return nil, nil
	}
	demo, empty := false, false
	err := s.store.System().View(ctx, func(tx baas.SystemTx) error {
		_, err := tx.Users().ByEmail(ctx, demoOperator)
		demo = err == nil
		if err != nil && !errors.Is(err, baas.ErrNotFound) {
			return err
		}
		ts, _, err := tx.Tenants().List(ctx, baas.TenantFilter{})
		empty = true
		for _, t := range ts {
			empty = empty && isDemo(t.Name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking whether the database is empty: %w", err)
	}
	if !demo {
		if !empty {
			return nil, nil
		}
		s.log.Info("filling the empty database with demo clients")
		for _, c := range demoClients() {
			if err := s.demoClient(ctx, c); err != nil {
				return nil, fmt.Errorf("making %s: %w", c.name, err)
			}
		}
		// Last, so that an interrupted demo is completed at the next start, and a complete one never comes back.
		if err := s.app.EnsureOperator(ctx, demoOperator, "Operador", DemoPassword); err != nil {
			return nil, fmt.Errorf("making the demo operator: %w", err)
		}
	}
	people := []Person{{demoOperator, "operator of the platform"}}
	for _, c := range demoClients() {
		people = append(people, c.owner)
	}
	return append(people, demoGuest()), nil
}

func isDemo(name string) bool {
	for _, c := range demoClients() {
		if c.name == name {
			return true
		}
	}
	return false
}

// demoClient makes what of a client isn't there yet, through the same use cases as everybody.
func (s *Server) demoClient(ctx context.Context, c demoClient) error {
	operator := authz.Actor{UserID: "demo", Operator: true}
	tenant, err := s.app.Tenant(ctx, operator, baas.Slug(c.name))
	if errors.Is(err, baas.ErrNotFound) {
		tenant, err = s.app.CreateTenant(ctx, operator, baas.TenantCreate{Name: c.name, Plan: c.plan})
	}
	if err != nil {
		return fmt.Errorf("making the tenant: %w", err)
	}
	login, err := s.app.LogIn(ctx, baas.Credentials{Email: c.owner.Email, Password: DemoPassword})
	if errors.Is(err, baas.ErrUnauthenticated) {
		login, err = s.demoMember(ctx, operator, tenant.ID, c.ownerName, baas.InvitationCreate{Email: c.owner.Email, Role: baas.RoleOwner})
		if err != nil {
			return fmt.Errorf("making the owner: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("logging the owner in: %w", err)
	}
	owner, err := s.app.Authenticate(ctx, login.Secret)
	if err != nil {
		return fmt.Errorf("authenticating the owner: %w", err)
	}
	for _, w := range c.workers {
		if err := s.demoWorker(ctx, owner, tenant.ID, w); err != nil {
			return fmt.Errorf("making Worker %s: %w", w.name, err)
		}
	}
	if c.guest != "" {
		if err := s.demoGuest(ctx, owner, tenant.ID, c.guest); err != nil {
			return fmt.Errorf("making %s a member: %w", demoGuest().Email, err)
		}
	}
	return s.app.LogOut(ctx, owner)
}

// demoGuest makes demoGuest a member, limited to one Worker.
func (s *Server) demoGuest(ctx context.Context, owner authz.Actor, tenant, worker string) error {
	email := demoGuest().Email
	members, err := s.app.Members(ctx, owner, tenant, email, baas.Page{})
	if err != nil || len(members.Items) > 0 {
		return err
	}
	workers, err := s.app.Workers(ctx, owner, tenant, baas.WorkerFilter{Search: worker})
	if err != nil {
		return err
	}
	in := baas.InvitationCreate{Email: email, Role: baas.RoleOperator}
	for _, w := range workers.Items {
		in.WorkerIDs = append(in.WorkerIDs, w.ID)
	}
	login, err := s.demoMember(ctx, owner, tenant, "Paula Reis", in)
	if err != nil {
		return err
	}
	guest, err := s.app.Authenticate(ctx, login.Secret)
	if err != nil {
		return fmt.Errorf("authenticating: %w", err)
	}
	return s.app.LogOut(ctx, guest)
}

// demoMember makes a person a member by an invitation, and logs them in.
func (s *Server) demoMember(ctx context.Context, inviter authz.Actor, tenant, name string, in baas.InvitationCreate) (app.LogIn, error) {
	open, err := s.app.Invitations(ctx, inviter, tenant, baas.Page{})
	if err != nil {
		return app.LogIn{}, fmt.Errorf("looking for an invitation: %w", err)
	}
	for _, i := range open.Items { // of an interrupted run: its secret is lost
		if i.Email != in.Email {
			continue
		}
		if err := s.app.DeleteInvitation(ctx, inviter, tenant, i.ID); err != nil {
			return app.LogIn{}, fmt.Errorf("deleting an invitation: %w", err)
		}
	}
	invitation, err := s.app.CreateInvitation(ctx, inviter, tenant, in)
	if err != nil {
		return app.LogIn{}, fmt.Errorf("inviting: %w", err)
	}
	login, err := s.app.AcceptInvitation(ctx, baas.InvitationAccept{Token: invitation.Token, Name: name, Password: DemoPassword})
	if err != nil {
		return login, fmt.Errorf("accepting the invitation: %w", err)
	}
	return login, nil
}

func (s *Server) demoWorker(ctx context.Context, owner authz.Actor, tenantID string, w demoWorker) error {
	var worker baas.Worker
	have, err := s.app.Workers(ctx, owner, tenantID, baas.WorkerFilter{Search: w.name})
	if err != nil {
		return err
	}
	if len(have.Items) > 0 {
		worker = have.Items[0]
	} else if worker, err = s.app.CreateWorker(ctx, owner, tenantID, baas.WorkerCreate{Name: w.name, Size: &w.size}); err != nil {
		return err
	}
	for _, b := range w.bots {
		have, err := s.app.Bots(ctx, owner, tenantID, baas.BotFilter{Search: b.name})
		if err != nil {
			return err
		}
		if len(have.Items) > 0 {
			continue
		}
		_, err = s.app.CreateBot(ctx, owner, tenantID, baas.BotCreate{WorkerID: worker.ID, Name: b.name, Kind: baas.BotAssistant, Access: baas.AccessPublic,
			Assistant: &baas.Assistant{SystemPrompt: b.prompt, Model: baas.ModelEcho, Temperature: 0.7, MaxTokens: 500, Memory: 20, Welcome: b.welcome,
				QuickReplies: b.replies, Personality: baas.Personality{Formality: 50, Humor: 20, Empathy: 80, Verbosity: 40, Creativity: 30},
				Handoff: baas.Handoff{Triggers: []string{"atendente", "falar com uma pessoa"}, Message: "Certo, vou chamar uma pessoa da equipe."}}})
		if err != nil {
			return fmt.Errorf("making bot %s: %w", b.name, err)
		}
	}
	return nil
}

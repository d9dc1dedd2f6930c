package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/baas-platform/baas"
	"github.com/baas-platform/baas/client"
)

func (c *cli) tenantCommand() *cobra.Command {
	var search string
	list := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List tenants", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		cl, _, err := c.client()
		if err != nil {
			return err
		}
		ts, err := client.Collect(cl.Tenants(cmd.Context(), baas.TenantFilter{Search: search}))
		if err != nil {
			return err
		}
		return c.showTenants(ts, ts...)
	}}
	list.Flags().StringVar(&search, "search", "", "part of the name")

	get := &cobra.Command{Use: "get [TENANT]", Short: "Show a tenant with what it has and may have", Args: args(0, 1), RunE: func(cmd *cobra.Command, a []string) error {
		if len(a) == 1 {
			c.tenant = a[0]
		}
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		v, err := t.Get(cmd.Context())
		if err != nil {
			return err
		}
		n, err := t.Totals(cmd.Context())
		if err != nil {
			return err
		}
		of := func(have, limit any) string { return fmt.Sprintf("%v of %v", have, limit) }
		return c.show(struct {
			Tenant baas.Tenant       `json:"tenant"`
			Totals baas.TenantTotals `json:"totals"`
		}{v, n}, []string{"NAME", "PLAN", "STATUS", "WORKERS", "CPU (m)", "MEMORY (MiB)", "DISK (GiB)", "BOTS", "MEMBERS"}, [][]string{{
			v.Name, v.Plan, string(v.Status), of(n.Totals.Workers, n.Limits.Workers), of(n.Totals.CPUMillis, n.Limits.CPUMillis),
			of(n.Totals.MemoryMiB, n.Limits.MemoryMiB), of(n.Totals.DiskGiB, n.Limits.DiskGiB), of(n.Totals.Bots, n.Limits.Bots), of(n.Totals.Members, n.Limits.Members)}})
	}}

	var in baas.TenantCreate
	var owner string
	create := &cobra.Command{Use: "create NAME", Short: "Make a tenant (operators of the platform)", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		cl, _, err := c.client()
		if err != nil {
			return err
		}
		in.Name = a[0]
		t, err := cl.CreateTenant(cmd.Context(), in)
		if err != nil {
			return err
		}
		if owner == "" {
			return c.done(t, "Made the tenant %s (%s).", t.Slug, t.ID)
		}
		i, err := cl.Tenant(t.ID).Invite(cmd.Context(), baas.InvitationCreate{Email: owner, Role: baas.RoleOwner})
		if err != nil {
			return fmt.Errorf("the tenant %s was made, but its owner wasn't invited: %w", t.Slug, err)
		}
		return c.done(struct {
			Tenant     baas.Tenant        `json:"tenant"`
			Invitation baas.NewInvitation `json:"invitation"`
		}{t, i}, "Made the tenant %s (%s).\nSend its owner this link, which is not shown again: %s", t.Slug, t.ID, i.URL)
	}}
	create.Flags().StringVar(&in.Slug, "slug", "", "short name for addresses; made from the name when left out")
	create.Flags().StringVar(&in.Plan, "plan", "", "FREE when left out")
	create.Flags().StringVar(&owner, "owner", "", "e-mail of its first owner, who is invited")

	var name, plan, status string
	update := &cobra.Command{Use: "update [TENANT]", Short: "Change a tenant's name, plan or status", Args: args(0, 1), RunE: func(cmd *cobra.Command, a []string) error {
		if len(a) == 1 {
			c.tenant = a[0]
		}
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		var u baas.TenantUpdate
		if name != "" {
			u.Name = &name
		}
		if plan != "" {
			u.Plan = &plan
		}
		if status != "" {
			u.Status = (*baas.TenantStatus)(&status)
		}
		v, err := t.Update(cmd.Context(), 0, u)
		if err != nil {
			return err
		}
		return c.showTenants(v, v)
	}}
	update.Flags().StringVar(&name, "name", "", "new name")
	update.Flags().StringVar(&plan, "plan", "", "new plan (operators of the platform)")
	update.Flags().StringVar(&status, "status", "", "active or suspended (operators of the platform)")

	var yes bool
	del := &cobra.Command{Use: "delete TENANT", Short: "Delete a tenant that has no Workers", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		c.tenant = a[0]
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		v, err := t.Get(cmd.Context())
		if err != nil {
			return err
		}
		if err := c.confirm(yes, "the tenant", v.Name); err != nil {
			return err
		}
		if err := t.Delete(cmd.Context(), v.Name); err != nil {
			return err
		}
		return c.done(v, "Deleted the tenant %s.", v.Slug)
	}}
	del.Flags().BoolVar(&yes, "yes", false, "don't ask")
	return c.group("tenant", "Client companies", list, get, create, update, del)
}

func (c *cli) showTenants(v any, ts ...baas.Tenant) error {
	var rows [][]string
	for _, t := range ts {
		rows = append(rows, []string{t.Slug, t.Name, t.Plan, string(t.Status), t.ID})
	}
	return c.show(v, []string{"SLUG", "NAME", "PLAN", "STATUS", "ID"}, rows)
}

func (c *cli) memberCommand() *cobra.Command {
	list := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List members", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		ms, err := client.Collect(t.Members(cmd.Context(), ""))
		if err != nil {
			return err
		}
		var rows [][]string
		for _, m := range ms {
			limit := "all"
			if m.Limited() {
				limit = strings.Join(m.WorkerIDs, ",")
			}
			rows = append(rows, []string{m.Email, m.Name, string(m.Role), limit, m.UserID})
		}
		return c.show(ms, []string{"E-MAIL", "NAME", "ROLE", "WORKERS", "ID"}, rows)
	}}

	var role string
	var workers []string
	limit := func(cmd *cobra.Command, t *client.Tenant) ([]string, error) {
		ids := []string{}
		for _, ref := range workers {
			w, err := worker(cmd.Context(), t, ref)
			if err != nil {
				return nil, err
			}
			ids = append(ids, w.ID)
		}
		return ids, nil
	}
	invite := &cobra.Command{Use: "invite E-MAIL", Short: "Invite a person", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		ids, err := limit(cmd, t)
		if err != nil {
			return err
		}
		i, err := t.Invite(cmd.Context(), baas.InvitationCreate{Email: a[0], Role: baas.Role(role), WorkerIDs: ids})
		if err != nil {
			return err
		}
		return c.done(i, "Invited %s as %s until %s.\nSend this link, which is not shown again: %s", i.Email, i.Role, i.ExpiresAt.Local().Format(time.DateOnly), i.URL)
	}}
	invite.Flags().StringVar(&role, "role", string(baas.RoleViewer), "owner, admin, operator or viewer")
	invite.Flags().StringSliceVar(&workers, "worker", nil, "only these Workers (names or ids)")

	update := &cobra.Command{Use: "update E-MAIL", Short: "Change a member's role or Workers", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		m, err := member(cmd, t, a[0])
		if err != nil {
			return err
		}
		var u baas.MemberUpdate
		if cmd.Flags().Changed("role") {
			u.Role = (*baas.Role)(&role)
		}
		if cmd.Flags().Changed("worker") {
			ids, err := limit(cmd, t)
			if err != nil {
				return err
			}
			u.WorkerIDs = &ids
		}
		m, err = t.UpdateMember(cmd.Context(), m.UserID, m.Version, u)
		if err != nil {
			return err
		}
		return c.done(m, "%s is %s now.", m.Email, m.Role)
	}}
	update.Flags().StringVar(&role, "role", "", "owner, admin, operator or viewer")
	update.Flags().StringSliceVar(&workers, "worker", nil, "only these Workers (names or ids); an empty value means all")

	remove := &cobra.Command{Use: "remove E-MAIL", Short: "Remove a member", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		m, err := member(cmd, t, a[0])
		if err != nil {
			return err
		}
		if err := t.RemoveMember(cmd.Context(), m.UserID); err != nil {
			return err
		}
		return c.done(m, "%s is not a member any more.", m.Email)
	}}
	return c.group("member", "People of a tenant", list, invite, update, remove)
}

// member finds a member by e-mail or id.
func member(cmd *cobra.Command, t *client.Tenant, ref string) (baas.Member, error) {
	for m, err := range t.Members(cmd.Context(), "") {
		if err != nil || strings.EqualFold(m.Email, ref) || m.UserID == ref {
			return m, err
		}
	}
	return baas.Member{}, baas.Errorf(baas.CodeNotFound, "there is no member %q", ref)
}

func (c *cli) tokenCommand() *cobra.Command {
	list := &cobra.Command{Use: "list", Aliases: []string{"ls"}, Short: "List API tokens", Args: args(0), RunE: func(cmd *cobra.Command, _ []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		ts, err := client.Collect(t.Tokens(cmd.Context()))
		if err != nil {
			return err
		}
		var rows [][]string
		for _, x := range ts {
			rows = append(rows, []string{x.Name, joined(x.Scopes), when(x.LastUsedAt, "never"), when(x.ExpiresAt, "never"), x.ID})
		}
		return c.show(ts, []string{"NAME", "SCOPES", "LAST USED", "EXPIRES", "ID"}, rows)
	}}
	var scopes []string
	var days int
	create := &cobra.Command{Use: "create NAME", Short: "Make an API token", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		in := baas.TokenCreate{Name: a[0]}
		for _, s := range scopes {
			in.Scopes = append(in.Scopes, baas.Scope(s))
		}
		if days > 0 {
			at := time.Now().AddDate(0, 0, days).UTC()
			in.ExpiresAt = &at
		}
		x, err := t.CreateToken(cmd.Context(), in)
		if err != nil {
			return err
		}
		return c.done(x, "Made the API token %s. It is not shown again:\n%s", x.Name, x.Secret)
	}}
	create.Flags().StringSliceVar(&scopes, "scope", []string{"read"}, "read, write or admin; each includes the ones before")
	create.Flags().IntVar(&days, "days", 0, "end it after this many days")
	del := &cobra.Command{Use: "delete ID", Short: "End an API token", Args: args(1), RunE: func(cmd *cobra.Command, a []string) error {
		t, err := c.inTenant(cmd.Context())
		if err != nil {
			return err
		}
		if err := t.DeleteToken(cmd.Context(), a[0]); err != nil {
			return err
		}
		return c.done(struct{}{}, "Ended the API token %s.", a[0])
	}}
	return c.group("token", "API tokens", list, create, del)
}

func joined[S ~string](words []S) string {
	var out []string
	for _, w := range words {
		out = append(out, string(w))
	}
	return strings.Join(out, ",")
}

func when(t *time.Time, never string) string {
	if t == nil {
		return never
	}
	return t.Local().Format("2006-01-02 15:04")
}

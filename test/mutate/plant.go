package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mutant is one place that is left out while BAAS_MUTANT is its id.
type mutant struct {
	id   int
	pkg  string // folder
	at   string // file:line
	in   string // function
	what string
	kind string // of place
	gets bool   // the function reads the thing with Get as well
}

func (m mutant) String() string { return fmt.Sprintf("%s/%s %s: %s", m.pkg, m.at, m.in, m.what) }

// switches is the package that mutated code asks whether its place is left out.
const switches = `package mutant

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var active = strings.Split(os.Getenv("BAAS_MUTANT"), ",")

func On(id int) bool { return slices.Contains(active, strconv.Itoa(id)) }

// Zero is v, or nothing in its place.
func Zero[T any](id int, v T) T {
	if On(id) {
		var none T
		return none
	}
	return v
}

// Always is f, or what is always true in its place.
func Always[T any](id int, f func(T) bool) func(T) bool {
	if On(id) {
		return func(T) bool { return true }
	}
	return f
}

var condition = regexp.MustCompile(` + "`" + filterPattern + "`" + `)

// Where is query, with its nth condition always true if the nth of ids is the one.
func Where(query string, ids ...int) string {
	n := -1
	return condition.ReplaceAllStringFunc(query, func(c string) string {
		if n++; n < len(ids) && On(ids[n]) {
			return "(" + c + " OR 1 = 1)"
		}
		return c
	})
}
`

// filterPattern finds the conditions of queries that keep tenants apart.
const filterPattern = `\b(?:[a-z]+\.)?(?:tenant_id|id) = \?`

// unlimited is added to package app.
const unlimited = `package app

import "github.com/baas-platform/baas/internal/mutant"

// unlimited is s without the limit to some Workers.
func unlimited(id int, s seat) seat {
	if mutant.On(id) && s.Member != nil {
		m := *s.Member
		m.WorkerIDs = nil
		s.Member = &m
	}
	return s
}
`

// planter changes one file.
type planter struct {
	fset    *token.FileSet
	src     []byte
	file    string
	pkg     string
	in      string // the function at hand
	recv    string // its receiver's type
	inserts []insert
	next    *int
	found   []mutant
	parents []ast.Node
	gets    bool // the function calls Get
}

type insert struct {
	at   int
	text string
}

// plant puts a switch at every place in the copy and lists them.
func plant(dir string) ([]mutant, error) {
	if err := os.MkdirAll(filepath.Join(dir, "internal/mutant"), 0o755); err != nil {
		return nil, err
	}
	for path, text := range map[string]string{"internal/mutant/mutant.go": switches, "internal/app/mutant.go": unlimited} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	actions, err := actionNames(filepath.Join(dir, "internal/authz/action.go"))
	if err != nil {
		return nil, err
	}
	var all []mutant
	next := 1
	for _, pkg := range []string{"internal/authz", "internal/app", "internal/store"} {
		files, err := filepath.Glob(filepath.Join(dir, pkg, "*.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "mutant.go" {
				continue
			}
			src, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			p := &planter{fset: token.NewFileSet(), src: src, file: filepath.Base(file), pkg: pkg, next: &next}
			tree, err := parser.ParseFile(p.fset, file, src, parser.ParseComments)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", file, err)
			}
			p.plant(tree, actions)
			if len(p.inserts) == 0 {
				continue
			}
			if err := os.WriteFile(file, p.result(tree), 0o644); err != nil {
				return nil, err
			}
			all = append(all, p.found...)
		}
	}
	return all, nil
}

// actionNames are the constants that name actions.
func actionNames(file string) (map[string]bool, error) {
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the actions: %w", err)
	}
	names := map[string]bool{}
	ast.Inspect(tree, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if t, ok := v.Type.(*ast.Ident); ok && t.Name == "Action" {
				names[v.Names[0].Name] = true
			}
		}
		return true
	})
	if len(names) == 0 {
		return nil, fmt.Errorf("%s names no actions", file)
	}
	return names, nil
}

func (p *planter) plant(tree *ast.File, actions map[string]bool) {
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		p.in, p.recv, p.gets = f.Name.Name, "", strings.Contains(p.text(f.Body), "t.Get(ctx, ")
		if f.Recv != nil {
			p.recv = p.text(f.Recv.List[0].Type)
		}
		asked := 0 // the mutant of the function's action
		p.parents = nil
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil {
				p.parents = p.parents[:len(p.parents)-1]
				return true
			}
			switch p.pkg {
			case "internal/authz":
				p.authz(n)
			case "internal/app":
				asked = p.app(n, actions, asked)
			case "internal/store":
				p.store(n)
			}
			p.parents = append(p.parents, n)
			return true
		})
		if p.pkg == "internal/authz" && p.in == "Decide" {
			p.insert(f.Body.Lbrace+1, ` if action == "" { return nil };`) // what a missing action means
		}
	}
}

// authz finds refusals.
func (p *planter) authz(n ast.Node) {
	i, ok := n.(*ast.IfStmt)
	if !ok || p.in != "Decide" && p.in != "scopesAllow" || len(i.Body.List) == 0 {
		return
	}
	if r, ok := i.Body.List[len(i.Body.List)-1].(*ast.ReturnStmt); ok && len(r.Results) == 1 && !isName(r.Results[0], "nil") {
		id := p.add(n, "refusal", "refusal when "+p.text(i.Cond))
		p.wrap(i.Cond, fmt.Sprintf("!mutant.On(%d) && (", id), ")")
	}
}

// app finds what use cases check.
func (p *planter) app(n ast.Node, actions map[string]bool, asked int) int {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		switch {
		case isName(n.X, "authz") && actions[n.Sel.Name]:
			if b, ok := p.parent().(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
				break
			}
			if asked == 0 {
				asked = p.add(n, "action", "the action "+n.Sel.Name)
			}
			p.wrap(n, fmt.Sprintf("mutant.Zero(%d, ", asked), ")")
		case isName(n.X, "s") && slices.Contains([]string{"worker", "workerField", "bot", "Sees", "Workers", "Limited", "seesMove"}, n.Sel.Name):
			id := p.add(n, "limit", "the limit to some Workers in "+p.text(n))
			p.wrap(n.X, fmt.Sprintf("unlimited(%d, ", id), ")")
		case isName(n.X, "s") && n.Sel.Name == "mayEnd":
			id := p.add(n, "token", "who may end a token")
			p.wrap(n, fmt.Sprintf("mutant.Always(%d, ", id), ")")
		}
	case *ast.CallExpr:
		name := p.text(n.Fun)
		switch {
		case name == "authz.Decide" && !p.names(n, actions), slices.Contains([]string{"s.mayGive", "s.mayInvite", "checkWorkers"}, name):
			id := p.add(n, "check", name)
			p.wrap(n, fmt.Sprintf("mutant.Zero(%d, ", id), ")")
		}
	case *ast.BinaryExpr:
		if !slices.Contains([]string{"enter", "memberships", "mayNotice", "mayEnd"}, p.in) || !endsIn(n.X, "TenantID", "UserID") && !endsIn(n.Y, "TenantID", "UserID") ||
			p.text(n.Y) == `""` {
			break
		}
		switch n.Op {
		case token.EQL:
			id := p.add(n, "owner", p.text(n))
			p.wrap(n, fmt.Sprintf("(mutant.On(%d) || ", id), ")")
		case token.NEQ:
			id := p.add(n, "owner", p.text(n))
			p.wrap(n, fmt.Sprintf("(!mutant.On(%d) && ", id), ")")
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT && strings.Contains(p.text(n), "ExpiresAt.After(") {
			id := p.add(n, "end", p.text(n))
			p.wrap(n, fmt.Sprintf("(!mutant.On(%d) && ", id), ")")
		}
	}
	return asked
}

var filter = regexp.MustCompile(filterPattern)

// store finds conditions of queries.
func (p *planter) store(n ast.Node) {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return
	}
	conditions := filter.FindAllString(lit.Value, -1)
	if len(conditions) == 0 {
		return
	}
	ids := ""
	found := false
	for _, c := range conditions {
		id := 0 // no mutant's
		if strings.Contains(c, "tenant_id") || p.ofTenants(lit) {
			id = p.add(n, "tenant of "+p.recv, strings.TrimSpace(c)+" in "+p.statement())
			found = true
		}
		ids += fmt.Sprintf(", %d", id)
	}
	if found {
		p.wrap(lit, "mutant.Where(", ids+")")
	}
}

// ofTenants reports whether a condition on an id is on the table of tenants, in a query about one tenant.
func (p *planter) ofTenants(lit *ast.BasicLit) bool {
	if !regexp.MustCompile(`(FROM|UPDATE) tenants\b`).MatchString(lit.Value) && !strings.Contains(p.statement(), "FROM tenants") {
		if !strings.Contains(lit.Value, "WHERE id = ? AND version") {
			return false
		}
	}
	for _, n := range slices.Backward(p.parents) {
		if c, ok := n.(*ast.CallExpr); ok {
			return slices.ContainsFunc(c.Args, func(a ast.Expr) bool { return endsIn(a, "tenant") })
		}
	}
	return false
}

// statement is the query that is being looked at, or its beginning.
func (p *planter) statement() string {
	for _, n := range slices.Backward(p.parents) {
		if c, ok := n.(*ast.CallExpr); ok {
			text := regexp.MustCompile(`\s+`).ReplaceAllString(p.text(c), " ")
			return text[:min(len(text), 110)]
		}
	}
	return p.in
}

func (p *planter) parent() ast.Node { return p.parents[len(p.parents)-1] }

// names reports whether a call's arguments name an action, whose own mutant covers it.
func (p *planter) names(c *ast.CallExpr, actions map[string]bool) bool {
	return slices.ContainsFunc(c.Args, func(a ast.Expr) bool {
		s, ok := a.(*ast.SelectorExpr)
		return ok && isName(s.X, "authz") && actions[s.Sel.Name]
	})
}

func isName(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}

func endsIn(e ast.Expr, names ...string) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && slices.Contains(names, s.Sel.Name)
}

func (p *planter) add(n ast.Node, kind, what string) int {
	id := *p.next
	*p.next++
	at := p.fset.Position(n.Pos())
	p.found = append(p.found, mutant{id, p.pkg, fmt.Sprintf("%s:%d", p.file, at.Line), p.in, what, kind, p.gets})
	return id
}

func (p *planter) text(n ast.Node) string {
	return string(p.src[p.fset.Position(n.Pos()).Offset:p.fset.Position(n.End()).Offset])
}

func (p *planter) wrap(n ast.Node, before, after string) {
	p.insert(n.Pos(), before)
	p.insert(n.End(), after)
}

func (p *planter) insert(at token.Pos, text string) {
	p.inserts = append(p.inserts, insert{p.fset.Position(at).Offset, text})
}

// result is the changed file. Inserts never overlap by halves, since they wrap whole expressions; of those at one place,
// ends come before beginnings, and a later found one is inside an earlier.
func (p *planter) result(tree *ast.File) []byte {
	p.insert(tree.Name.End(), "\nimport \"github.com/baas-platform/baas/internal/mutant\"\n")
	slices.SortStableFunc(p.inserts, func(a, b insert) int { return a.at - b.at })
	var out []byte
	last := 0
	for _, i := range p.inserts {
		out = append(append(out, p.src[last:i.at]...), i.text...)
		last = i.at
	}
	return append(out, p.src[last:]...)
}

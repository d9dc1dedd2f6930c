package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// run is a test program with arguments.
type run struct {
	pkg  string
	args []string
}

// runs says which tests should notice a missing place of each package, the likeliest first. PostgreSQL is left out: its
// row-level security would hide what the queries lack.
var runs = map[string][]run{
	"internal/authz": {{"internal/authz", nil}},
	"internal/app": {
		{"internal/app", []string{"-test.skip=Postgres|^Fuzz"}},
		{"internal/httpapi", []string{"-test.run=TestMatrix|TestForeign|TestStream|TestLogs|TestActivityLog", "-test.skip=Postgres"}},
	},
	"internal/store": {
		{"internal/store", []string{"-test.run=TestSQLite", "-test.skip=UsageExact|UsageConcurrent|Overflow"}},
		{"internal/store", []string{"-test.run=TestSQLite/Usage"}},
		{"internal/httpapi", []string{"-test.run=TestForeign", "-test.skip=Postgres"}},
	},
}

const perRun = 4 * time.Minute

func main() {
	var (
		jobs    = flag.Int("j", 2, "runs at the same time")
		only    = flag.String("only", "", "regular expression of the mutants to try")
		list    = flag.Bool("list", false, "list the mutants and stop")
		verbose = flag.Bool("v", false, "print every mutant and who caught it")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := mutate(ctx, *jobs, *only, *list, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func mutate(ctx context.Context, jobs int, only string, list, verbose bool) (ok bool, err error) {
	pick, err := regexp.Compile(only)
	if err != nil {
		return false, fmt.Errorf("reading -only: %w", err)
	}
	dir, err := os.MkdirTemp("", "baas-mutate-*")
	if err != nil {
		return false, fmt.Errorf("making a place for the copy: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := copyTree(".", dir); err != nil {
		return false, fmt.Errorf("copying the source: %w", err)
	}
	all, err := plant(dir)
	if err != nil {
		return false, fmt.Errorf("planting mutants: %w", err)
	}
	var mutants []mutant
	for _, m := range all {
		if pick.MatchString(m.String()) {
			mutants = append(mutants, m)
		}
	}
	if list {
		for _, m := range mutants {
			fmt.Println(m)
		}
		return true, nil
	}
	if err := build(ctx, dir); err != nil {
		return false, err
	}
	began := time.Now()
	for pkg, rs := range runs {
		for _, r := range rs {
			if out, failed := r.do(ctx, dir, ""); failed {
				return false, fmt.Errorf("%s fails without a mutant:\n%s", pkg, out)
			}
		}
	}
	fmt.Printf("%d mutants; the tests pass without one\n", len(mutants))

	var mu sync.Mutex
	var survivors, equal, redundant []string
	caught := 0
	work := make(chan mutant)
	var wg sync.WaitGroup
	for range jobs {
		wg.Go(func() {
			for m := range work {
				by, twice := try(ctx, dir, m.pkg, strconv.Itoa(m.id)), false
				reason := m.equivalent()
				if fellows := m.fellows(all); by == "" && reason == "" && len(fellows) > 1 {
					by = try(ctx, dir, m.pkg, strings.Join(fellows, ","))
					twice = by != ""
				}
				mu.Lock()
				switch {
				case ctx.Err() != nil:
				case twice:
					redundant = append(redundant, m.String())
				case by != "":
					caught++
					if verbose {
						fmt.Printf("caught    %s, by %s\n", m, by)
					}
				case reason != "":
					equal = append(equal, fmt.Sprintf("%s: %s", m, reason))
				default:
					survivors = append(survivors, m.String())
					fmt.Printf("SURVIVED  %s\n", m)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		select {
		case work <- m:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("not finished: %w", err)
	}
	fmt.Printf("%d caught, %d guarded twice, %d without a difference, %d survived, in %s\n",
		caught, len(redundant), len(equal), len(survivors), time.Since(began).Round(time.Second))
	for _, r := range redundant {
		fmt.Println("guarded twice:", r)
	}
	for _, e := range equal {
		fmt.Println("no difference:", e)
	}
	return len(survivors) == 0, nil
}

// try runs the tests of a package with mutants, named by their ids, and tells which package's failed.
func try(ctx context.Context, dir, pkg, ids string) (by string) {
	for _, r := range runs[pkg] {
		if _, failed := r.do(ctx, dir, ids); failed {
			return r.pkg
		}
	}
	return ""
}

// fellows are the ids of the mutants of the same kind in the same function, and in the Get that it calls. Where one of them looks at a thing first
// and another changes it, the second is guarded twice: no test can notice that it is missing, but all of them must be
// noticed together.
func (m mutant) fellows(all []mutant) (ids []string) {
	for _, o := range all {
		if o.pkg == m.pkg && o.kind == m.kind && (o.in == m.in || m.gets && o.in == "Get") {
			ids = append(ids, strconv.Itoa(o.id))
		}
	}
	return ids
}

// do runs the tests with the mutants on, or with none when ids is empty.
func (r run) do(ctx context.Context, dir string, ids string) (out string, failed bool) {
	ctx, cancel := context.WithTimeout(ctx, perRun)
	defer cancel()
	args := append([]string{"-test.failfast", "-test.timeout=" + perRun.String()}, r.args...)
	cmd := exec.CommandContext(ctx, program(dir, r.pkg), args...)
	cmd.Dir = filepath.Join(dir, r.pkg)
	cmd.Env = append(os.Environ(), "BAAS_MUTANT="+ids)
	raw, err := cmd.CombinedOutput()
	return string(raw), err != nil
}

func program(dir, pkg string) string {
	return filepath.Join(dir, "bin", filepath.Base(pkg)+".test")
}

// build makes each test program once, with all mutants in it.
func build(ctx context.Context, dir string) error {
	made := map[string]bool{}
	for _, rs := range runs {
		for _, r := range rs {
			if made[r.pkg] {
				continue
			}
			made[r.pkg] = true
			cmd := exec.CommandContext(ctx, "go", "test", "-c", "-trimpath", "-o", program(dir, r.pkg), "./"+r.pkg)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("building the tests of %s with mutants: %w\n%s", r.pkg, err, out)
			}
		}
	}
	return nil
}

// copyTree copies what the tests need, without the parts of the repository that they don't.
func copyTree(from, to string) error {
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		top, _, nested := strings.Cut(filepath.ToSlash(path), "/")
		if d.IsDir() {
			switch {
			case path == ".", top == "internal", top == "client", top == "api":
				return os.MkdirAll(filepath.Join(to, path), 0o755)
			}
			return filepath.SkipDir
		}
		if !nested && !strings.HasSuffix(top, ".go") && top != "go.mod" && top != "go.sum" {
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		raw, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), raw, 0o644)
	})
	return err
}

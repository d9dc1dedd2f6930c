package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are what a run can be told.
type options struct {
	binary  string
	report  string
	only    []string
	ledger  time.Duration // per database
	verbose bool
}

// measurement is one part of a run.
type measurement struct {
	name string
	run  func(ctx context.Context, b *bench) error
	// apart is made only when it is asked for by name: it needs what other runs don't have.
	apart bool
}

// measurements in the order they run: those on Docker first, the ledger, which fills the disk's cache, last.
var measurements = []measurement{
	{name: "workers", run: measureWorkers},
	{name: "bots", run: measureBots},
	{name: "gateway", run: measureGateway},
	{name: "api", run: measureAPI},
	{name: "agents", run: measureAgents},
	{name: "ledger", run: measureLedger},
	{name: "cluster", run: measureCluster, apart: true},
}

// bench is one run.
type bench struct {
	options
	dir     string // for everything that doesn't outlive the run
	results []result
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	o := options{}
	names := make([]string, 0, len(measurements))
	for _, m := range measurements {
		names = append(names, m.name)
	}
	seconds := 300
	if s := os.Getenv("BENCH_SECONDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return o, fmt.Errorf("BENCH_SECONDS is %q; must be a number of seconds from 1", s)
		}
		seconds = n
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.binary, "binary", "bin/baas", "the product")
	flags.StringVar(&o.report, "report", "bench/report.json", "where the report is written")
	flags.BoolVar(&o.verbose, "v", false, "say more about each measurement")
	flags.IntVar(&seconds, "seconds", seconds, "how long the usage ledger is written to, on each database (BENCH_SECONDS)")
	only := flags.String("only", "", "measurements to make, separated by commas: "+strings.Join(names, ", "))
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.ledger = time.Duration(seconds) * time.Second
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.Contains(names, name) {
			return o, fmt.Errorf("there is no measurement %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	var err error
	o.binary, err = filepath.Abs(o.binary)
	return o, err
}

// run makes the measurements. One that fails doesn't keep the others from being made.
func run(ctx context.Context, o options) (err error) {
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("the product isn't built (make build): %w", err)
	}
	b := &bench{options: o}
	if b.dir, err = os.MkdirTemp("", "baas-bench-"); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if err := raiseFileLimit(); err != nil {
		return err
	}
	var errs []error
	for _, m := range measurements {
		if asked := slices.Contains(o.only, m.name); !asked && (m.apart || len(o.only) > 0) {
			continue
		}
		b.logf("%s …", m.name)
		began := time.Now()
		if err := m.run(ctx, b); err != nil {
			errs = append(errs, fmt.Errorf("measuring %s: %w", m.name, err))
			b.logf("%s: %v", m.name, err)
		}
		b.logf("%s took %s", m.name, time.Since(began).Round(time.Second))
		if ctx.Err() != nil {
			break
		}
	}
	printTable(os.Stdout, b.results)
	errs = append(errs, writeReport(o.report, b.results))
	for _, r := range b.results {
		if !r.Met {
			errs = append(errs, fmt.Errorf("not kept: %s is %s, the budget is %s", r.Name, r.amount(r.Value), r.Target))
		}
	}
	return errors.Join(errs...)
}

func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

func (b *bench) detail(format string, args ...any) {
	if b.verbose {
		b.logf("  "+format, args...)
	}
}

func (b *bench) add(rs ...result) {
	for _, r := range rs {
		b.detail("%s: %s (%s)", r.Name, r.amount(r.Value), r.Target)
	}
	b.results = append(b.results, rs...)
}

// raiseFileLimit allows as many open files as this process may have: each simulated agent is a connection.
func raiseFileLimit() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("reading the limit of open files: %w", err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("raising the limit of open files: %w", err)
	}
	return nil
}

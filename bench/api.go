package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	apiTenants   = 8
	apiConns     = 32 // more only wait longer: the database is busy with these
	apiLoadFor   = 10 * time.Second
	apiExisting  = 1000 // Workers to read
	apiP99Target = 50   // ms
)

// measureAPI measures creates and gets of Workers through the API, each with its token, on SQLite. The fake engine
// makes the machines at once, so that controllers work along as they do in earnest.
func measureAPI(ctx context.Context, b *bench) (err error) {
	p, err := b.newPlatform(ctx, "fake")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove(ctx)) }()
	tenants := make([]tenant, apiTenants)
	for i := range tenants {
		if tenants[i], err = p.newTenant(ctx, fmt.Sprint("Cliente ", i)); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	var ids [][2]string // tenant's address and Worker
	var made atomic.Int64
	create := load{addr: p.url[len("http://"):], conns: apiConns, want: 202}
	create.request = func(i int64) []byte {
		t := tenants[i%apiTenants]
		_, raw, _ := rawRequest("POST", t.url+"/workers", fmt.Sprintf(`{"name":"Worker %d"}`, made.Add(1)), "Authorization", "Bearer "+t.token)
		return raw
	}
	existing := create
	existing.answer = func(body []byte) {
		var w struct {
			ID       string `json:"id"`
			TenantID string `json:"tenant_id"`
		}
		if json.Unmarshal(body, &w) == nil {
			mu.Lock()
			ids = append(ids, [2]string{w.TenantID, w.ID})
			mu.Unlock()
		}
	}
	for len(ids) < apiExisting {
		if _, err := b.apiLoad(ctx, existing, 200*time.Millisecond); err != nil {
			return err
		}
	}
	gets := make([][]byte, len(ids))
	for i, id := range ids {
		for _, t := range tenants {
			if t.url == p.url+"/api/v1/tenants/"+id[0] {
				if _, gets[i], err = rawRequest("GET", t.url+"/workers/"+id[1], "", "Authorization", "Bearer "+t.token); err != nil {
					return err
				}
			}
		}
	}
	if err := pause(ctx, 5*time.Second); err != nil { // the controllers come to rest
		return err
	}
	read := load{addr: create.addr, conns: apiConns, want: 200, request: func(i int64) []byte { return gets[i%int64(len(gets))] }}
	parts := []part{{"client", os.Getpid(), cpuOf}, {"control plane", p.cmd.Process.Pid, cpuOf}}
	r, err := b.apiLoad(ctx, read, apiLoadFor)
	if err != nil {
		return err
	}
	before := cpuOfParts(parts)
	w, err := b.apiLoad(ctx, create, apiLoadFor)
	if err != nil {
		return err
	}
	for i, took := range cpuOfParts(parts) {
		b.detail("%s: %d µs of processor for each create, controllers included", parts[i].name, (took-before[i]).Microseconds()/int64(len(w.took)))
	}
	b.detail("gets p50 %.1f ms, creates p50 %.1f ms", r.took.at(50), w.took.at(50))
	b.add(
		atLeast("API on SQLite, Workers made", w.rate, "per s", 2000),
		atMost("API on SQLite, Workers made, p99", w.took.at(99), "ms", apiP99Target),
		atLeast("API on SQLite, Workers read", r.rate, "per s", 4000),
		atMost("API on SQLite, Workers read, p99", r.took.at(99), "ms", apiP99Target),
	)
	return nil
}

// apiLoad runs a load in which no request may fail.
func (b *bench) apiLoad(ctx context.Context, l load, d time.Duration) (loadResult, error) {
	res, err := l.closed(ctx, d)
	if err == nil && res.errors > 0 {
		err = fmt.Errorf("%d requests failed, the first: %w", res.errors, res.first)
	}
	return res, err
}

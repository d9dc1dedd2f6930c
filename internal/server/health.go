package server

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// health serves /healthz (the process answers), /readyz (it can serve requests) and /metrics.
func (s *Server) health(mux *http.ServeMux, registry *prometheus.Registry) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
		defer cancel()
		status, checks := http.StatusOK, map[string]string{"database": "ok", "engine": "ok"}
		if err := s.store.Ping(ctx); err != nil {
			s.log.Error("the database doesn't answer", "err", err)
			status, checks["database"] = http.StatusServiceUnavailable, "does not answer"
		}
		// An engine that is away is no reason to take the API away: bots that run go on, and people can see why.
		if _, err := s.engine.Capabilities(ctx); err != nil {
			checks["engine"] = "does not answer"
		}
		writeJSON(w, status, checks)
	})
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !s.mayReadMetrics(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeJSON(w, http.StatusUnauthorized, map[string]string{"code": "unauthenticated",
				"detail": "metrics are given to this machine, and elsewhere to who sends BAAS_METRICS_TOKEN as bearer"})
			return
		}
		metrics.ServeHTTP(w, r)
	})
}

// mayReadMetrics allows the machine itself, unless a proxy on it forwards for somebody, and who has the token.
func (s *Server) mayReadMetrics(r *http.Request) bool {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && s.cfg.MetricsToken != "" {
		return subtle.ConstantTimeCompare([]byte(token), []byte(s.cfg.MetricsToken)) == 1
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == ""
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the status is out; a client that left is no news
}

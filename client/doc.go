// Package client is the Go client of the API of BaaS. It speaks in the types of package baas; what the API refuses
// comes back as *baas.Error, so errors.Is(err, baas.ErrNotFound) and the like work.
//
//	c, err := client.New("https://baas.example.com", os.Getenv("BAAS_TOKEN"))
//	t := c.Tenant("cliente-a")
//	w, err := t.CreateWorker(ctx, baas.WorkerCreate{Name: "Financeiro"})
//	for w, err := range t.Workers(ctx, client.WorkerQuery{}) { … }
//
// Requests that the network or a busy server loses are sent again: reads as they are, writes with an Idempotency-Key,
// so that they are carried out once.
package client

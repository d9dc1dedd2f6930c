// Package kubernetes runs Workers as workloads of a Kubernetes cluster (1.31 or newer; sizes change live from 1.34 on).
//
// # What a Worker is on the cluster
//
//	Namespace             <prefix><tenant id>   one per tenant, Pod Security "restricted"
//	  ResourceQuota       baas                  the plan's limits, as a second line behind the platform's own
//	  LimitRange          baas                  for what others put there
//	  Secret              registry-<hash>       the credentials for images, if any are configured; never read
//	  NetworkPolicy       default-deny          nothing in, nothing out
//	  NetworkPolicy       workers               out to DNS, the control plane's agent port and the internet
//	  PersistentVolumeClaim <worker id>         mounted at /data
//	  Secret              <worker id>-<hash>    the agent's token; owned by the claim; made and deleted, never read
//	  StatefulSet         <worker id>           one replica, or none while stopped
//	    Pod               <worker id>-0
//
// In names an id's underscore is a hyphen. Everything carries the label of its installation; whatever lacks it, or has
// another value, is never touched. A namespace goes with its tenant's last Worker, unless somebody else has put things
// into it.
//
// # How it converges
//
// What should be is built from the Machine alone, compared with what informers have seen, and sent by server-side
// apply under the field manager "baas" when a field of ours differs; fields of others stay. So a pass that changes
// nothing sends no request at all, and what was found to be so isn't compared again until one of the objects has another
// version. Every write is waited for in the informers' cache, so that this process always reads its own writes.
//
// Without the API server nothing is changed, and everything is ErrUnavailable until the first lists are in: a process
// that starts without them knows nothing, which isn't the same as nothing being there. The watches try to connect all
// the time, so that an API server that is back is seen at once.
//
// The StatefulSet updates OnDelete: a change of its template restarts nothing. A pod whose image, isolation level,
// agent address, token or restart count is another than wanted is deleted gracefully, and the cluster makes it anew
// from the template; one that differs in size alone is resized in place through its resize subresource.
//
//	(absent) ─apply─► pending ─► running ─┬─ resize, template follows ─► running
//	                     ▲                ├─ delete ─► terminating ─► pending
//	                     │                ├─ replicas 0 ─► terminating ─► stopped ─ replicas 1 ─► pending
//	                     └────────────────┴─ evicted, node lost, killed: the cluster makes it anew
//
// # A Worker's machine is a singleton
//
// Stop and Remove return only when no pod object is left, which is the cluster's word that the kubelet has ended its
// processes. A pod on a node that doesn't answer is never deleted by force: its Worker waits until the node is back or
// an administrator has removed it from the cluster.
package kubernetes

// Package docker runs Workers as containers of a Docker Engine (20.10 or newer) through its API.
//
// # What a Worker is on the engine
//
//	network   <installation>-<tenant id>   a bridge per tenant, no traffic between its containers, no IPv6
//	volume    <installation>-<worker id>   mounted at /data, owned by the user that everything runs as
//	container <installation>-<worker id>   the agent as PID 1, unprivileged, read-only root
//
// Names follow from ids, so a crash in the middle of Ensure or Remove is picked up by calling it again. Everything
// carries the label baas.installation; whatever lacks it, or has another value, is never touched.
//
// # The agent in any image
//
// The platform's own image is made from the static binary alone and imported, without a registry. Into an image of
// the tenant's choice the binary comes by a read-only volume at /.baas, which the engine fills from the platform's
// image when a container that was never started mounts it first. The same trick gives a new /data its owner.
//
// # What a container may reach
//
// The internet, and the control plane's agent listener on the host. Containers of one tenant don't reach each other
// since their bridge has inter-container traffic off; the host's own addresses, other Workers and the cloud's metadata
// addresses are closed by the rules of internal/netguard, which a short-lived container sets on the engine's host. They
// don't survive a restart of that host: New sets them, and Watch sets them again from time to time and whenever the
// engine comes back.
//
// # Life of a container
//
//	(absent) ─make─► created ─start─► running ─stop─► exited ─start─► running
//	                                   │  ▲
//	                                   ▼  │ the engine itself (restart policy)
//	                               ended by itself
//
// A size is changed on the live container. An image, isolation level, agent address or token that differs, a higher
// restart count, or an older agent in a container that doesn't run: the container is made anew on the same volume.
package docker

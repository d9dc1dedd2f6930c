// Package netguard keeps Workers away from the host they run on, from each other, and from the cloud's metadata
// service, by a table of its own in the host's nftables.
//
// A container on a bridge reaches every port of its host at the bridge's own address, whatever the container engine's
// isolation of networks says, because that concerns forwarded packets alone. The table closes it:
//
//	input    from a Worker's bridge: replies, and TCP to the agent listener; all else is dropped
//	forward  from a Worker's bridge: not to another Worker's bridge, the Workers' pool or the denied networks, and to
//	         the metadata addresses only for names (port 53)
//	         to a Worker's bridge: only replies
//
// Workers' packets are known by the names of their bridges, which begin alike. That holds for IPv4 and IPv6, leaves
// other networks of the same engine alone, and can't be feigned by a sender's address.
//
// The rules work besides whatever firewall the host has: one that closes the agent listener keeps it closed. They end
// with the host's next start.
package netguard

package canonical

import (
	"bytes"
	"net/netip"
)

// AppendInet appends an IP address or network in the spelling of RFC 5952,
// since servers shorten differently (1:0:2:3:4:5:6:7 in PostgreSQL is
// 1::2:3:4:5:6:7 in MariaDB). A prefix length stays as it is: PostgreSQL
// prints it for networks and leaves it out for hosts. Whatever is no IP address
// — PostgreSQL's MAC addresses — is kept as its server prints it.
func AppendInet(dst, text []byte) []byte {
	if isMAC8(text) {
		return append(dst, text...)
	}
	host, prefix, hasPrefix := bytes.Cut(text, []byte("/"))
	address, err := netip.ParseAddr(string(host))
	if err != nil || address.Zone() != "" {
		return append(dst, text...)
	}
	dst = address.AppendTo(dst)
	if hasPrefix {
		dst = append(append(dst, '/'), prefix...)
	}
	return dst
}

// isMAC8 recognizes a macaddr8, eight groups of two digits. An IPv6 address in
// that form has no leading zeros and is spelled as RFC 5952 wants it anyway.
func isMAC8(text []byte) bool {
	const groups = 8
	if len(text) != 3*groups-1 {
		return false
	}
	for i := 2; i < len(text); i += 3 {
		if text[i] != ':' {
			return false
		}
	}
	return bytes.Count(text, []byte(":")) == groups-1
}

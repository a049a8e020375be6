// Where the gallery listens, and by which names a browser may call it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lookalike {

struct Address {
    std::string host;  ///< without brackets
    int port = 0;      ///< 0: any
};

/// Of "127.0.0.1:8080", "[::1]:8080", "8080" or "host:8080".
std::optional<Address> parse_address(const std::string& text);

bool is_loopback(const std::string& host);

/// As in a URL: of IPv6 with brackets.
std::string authority(const Address& address);

class AllowedHosts {
  public:
    /// `names` are further ones, by which a proxy or a network calls this machine.
    AllowedHosts(const Address& address, std::vector<std::string> names);

    /// A page of another site reaches a loopback address by a name of its own, so names are
    /// checked. Of addresses that are not loopback any number will do when not listening on
    /// loopback.
    bool allows(std::string_view host_header) const;

    /// The header Origin of a page that this server gave out.
    bool is_own(std::string_view origin, std::string_view host_header) const;

  private:
    Address address_;
    std::vector<std::string> names_;
};

}  // namespace lookalike

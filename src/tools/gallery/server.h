// HTTP: who may ask, what, how much and how long.
#pragma once

#include <string>
#include <vector>

#include "tools/gallery/address.h"
#include "tools/gallery/gallery.h"

namespace lookalike {

class GalleryServer {
  public:
    /// `host_names` are names beside the address by which browsers call it.
    GalleryServer(Gallery& gallery, Address address, std::vector<std::string> host_names);
    ~GalleryServer();

    /// Takes the port; of port 0 it chooses one. Throws WrongUse.
    const Address& bind();

    /// Until stop() or Ctrl-C.
    void serve();

  private:
    struct Http;  ///< httplib's server, whose header takes long to compile
    Gallery& gallery_;
    Address address_;
    std::vector<std::string> host_names_;
    std::unique_ptr<Http> http_;
};

}  // namespace lookalike

// Memory that nobody has touched yet: what its first touch costs, and how to pay less.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace ingot::io {

// Brings private memory in that is about to be written, most of which was never touched: by one
// call and not by a page fault for each 4 KiB. Leaves memory alone that is there, and content
// always. Blocks. What the kernel refuses is left to the faults.
void bring_in(MutableBytes memory);

// Whether huge pages are cheaper to touch first than the small ones that they replace. Not in a
// virtual machine that reports free memory to its host (virtio-balloon, free page reporting; virtio
// 1.3, 5.5.6.7): it gives back whole free huge pages, and to touch one again is 512 faults of the
// host. Asks the kernel once.
bool huge_pages_are_cheap();

// The same of the devices listed in a folder like /sys/bus/virtio/devices.
bool reports_free_pages(std::string_view virtio_devices);

}  // namespace ingot::io

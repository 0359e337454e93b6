// Everything of the core.
#pragma once

#include "ingot/bus_guard.h"
#include "ingot/checkpoint.h"
#include "ingot/digest.h"
#include "ingot/directory.h"
#include "ingot/dtype.h"
#include "ingot/optimizer.h"
#include "ingot/progress.h"
#include "ingot/repair.h"
#include "ingot/state.h"
#include "ingot/status.h"
#include "ingot/tensor.h"
#include "ingot/verify.h"
#include "ingot/version.h"
#include "ingot/writer.h"

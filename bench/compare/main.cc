// Ingot as one contender among others: bench/run.py starts it in a fresh process, again and again,
// in turn with its peers. Times are taken inside, around the call; a line of JSON comes out.
//
//   bench_compare make SHAPE LISTING RAW           the tensors' list (JSON) and their bytes
//   bench_compare ingot SHAPE FOLDER               the same as an Ingot file; prints its path
//   bench_compare warm|cold FILE...                into the page cache, or out of it; proves it
//   bench_compare open|describe|view|verify FILE TINY
//   bench_compare one FILE TINY NAME TINY_NAME
//   bench_compare load|load-unverified FILE TINY DEVICE
//   bench_compare load-mapped|load-mapped-verified FILE TINY
//   bench_compare save SHAPE RAW FILE TINY_SHAPE TINY_RAW
//   bench_compare checked|checked-unverified|checked-mapped|checked-mapped-verified FILE
//   bench_compare checked-verified FILE            what a load ends with, for the integrity test
//   bench_compare ceiling-open|part-open FILE TINY
//   bench_compare ceiling-copy|ceiling-hash FILE
//   bench_compare ceiling-read FILE FIRST; ceiling-write RAW FILE FIRST
#include "bench/compare/ceilings.h"
#include "bench/compare/inputs.h"
#include "bench/compare/loads.h"
#include "bench/compare/readings.h"
#include "bench/compare/saves.h"
#include "bench/support/commands.h"

int main(int argc, char** argv) {
  using namespace ingot::bench;
  return run_command(argc, argv,
                     {{"make", make_listing},
                      {"ingot", make_ingot},
                      {"warm", warm_files},
                      {"cold", cool_files},
                      {"open", open_file},
                      {"describe", describe_file},
                      {"one", read_one},
                      {"view", view_file},
                      {"verify", verify_file},
                      {"load", load_file},
                      {"load-unverified", load_unverified},
                      {"load-mapped", load_mapped},
                      {"load-mapped-verified", load_mapped_verified},
                      {"save", save_file},
                      {"checked", checked},
                      {"checked-unverified", checked_unverified},
                      {"checked-mapped", checked_mapped},
                      {"checked-mapped-verified", checked_mapped_verified},
                      {"checked-verified", checked_verified},
                      {"ceiling-open", ceiling_open},
                      {"part-open", part_open},
                      {"ceiling-copy", ceiling_copy},
                      {"ceiling-hash", ceiling_hash},
                      {"ceiling-read", ceiling_read},
                      {"ceiling-write", ceiling_write}},
                     "bench/compare/main.cc");
}

# Every third-party library heroq links, as one imported target each.
find_package(Threads REQUIRED)
find_package(Protobuf CONFIG QUIET)
if(NOT Protobuf_FOUND)
  find_package(Protobuf REQUIRED)
endif()
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
# cpp-httplib must be compiled with the flags Debian built it with; without them its classes differ.
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
if(HEROQ_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(HEROQ_BUILD_BENCHMARKS)
  find_package(benchmark REQUIRED)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

if(HEROQ_FUZZ)
  return()
endif()

# The static library: whoever runs a worker need not have it.
find_library(JEMALLOC_LIBRARY libjemalloc_pic.a REQUIRED)
add_library(jemalloc::jemalloc STATIC IMPORTED)
set_target_properties(jemalloc::jemalloc PROPERTIES IMPORTED_LOCATION "${JEMALLOC_LIBRARY}"
  INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")

# LibTorch is the PyPI wheel. Its own CMake package drags CUDA in, and its include folder carries
# google/protobuf and fmt headers that shadow the system's, so the targets are made here and the
# headers are seen through a folder of links that holds torch's own headers only.
set(_torch "${HEROQ_TORCH_DIR}/torch")
if(NOT EXISTS "${_torch}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch not found in ${HEROQ_TORCH_DIR}; run deploy/setup.sh or set HEROQ_TORCH_DIR")
endif()
set(_torch_include "${CMAKE_BINARY_DIR}/torch_include")
file(MAKE_DIRECTORY "${_torch_include}")
foreach(_folder ATen c10 caffe2 torch)
  file(CREATE_LINK "${_torch}/include/${_folder}" "${_torch_include}/${_folder}" SYMBOLIC)
endforeach()
foreach(_library c10 torch_cpu)
  add_library(torch::${_library} SHARED IMPORTED)
  set_target_properties(torch::${_library} PROPERTIES
    IMPORTED_LOCATION "${_torch}/lib/lib${_library}.so"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${_torch_include}"
    INTERFACE_INCLUDE_DIRECTORIES "${_torch_include}")
endforeach()
set_property(TARGET torch::torch_cpu PROPERTY INTERFACE_LINK_LIBRARIES torch::c10)

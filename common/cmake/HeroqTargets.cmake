# heroq_library, heroq_executable and heroq_test: one way to declare a target, so that warnings, sanitizers and
# include paths are the same everywhere. Sources are always listed, never globbed.

# What HEROQ_SANITIZER asks for, also of targets that are not declared as below.
function(heroq_sanitize target)
  if(HEROQ_SANITIZER)
    target_compile_options(${target} PRIVATE -fsanitize=${HEROQ_SANITIZER} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${HEROQ_SANITIZER})
  endif()
  if(HEROQ_SANITIZER STREQUAL "thread")
    # Headers of the system's protobuf and abseil lay out classes differently under this macro than the libraries do.
    target_compile_options(${target} PRIVATE -U__SANITIZE_THREAD__)
  endif()
endfunction()

function(_heroq_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -Wno-unused-parameter -Wnon-virtual-dtor)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE -Wthread-safety)
  else()
    target_compile_options(${target} PRIVATE -Wshadow=local)
  endif()
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
  if(HEROQ_FAILPOINTS)
    target_compile_definitions(${target} PUBLIC HEROQ_FAILPOINTS=1)
  endif()
  heroq_sanitize(${target})
endfunction()

# Programs under ThreadSanitizer bring what it needs to know of abseil's locks and gRPC's queues.
function(_heroq_program target)
  _heroq_options(${target})
  if(HEROQ_SANITIZER STREQUAL "thread")
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:heroq_tsan_mutex> $<TARGET_OBJECTS:heroq_tsan_grpc>)
    target_link_libraries(${target} PRIVATE absl::synchronization ${CMAKE_DL_LIBS})
  endif()
endfunction()

# heroq_library(NAME SOURCES a.cc ... [DEPS lib ...])  -> static library heroq_NAME, alias heroq::NAME
function(heroq_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(heroq_${name} STATIC ${ARG_SOURCES})
  add_library(heroq::${name} ALIAS heroq_${name})
  _heroq_options(heroq_${name})
  target_link_libraries(heroq_${name} PUBLIC ${ARG_DEPS})
endfunction()

# heroq_interface(NAME [DEPS lib ...]) for folders that hold headers only.
function(heroq_interface name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  add_library(heroq_${name} INTERFACE)
  add_library(heroq::${name} ALIAS heroq_${name})
  target_include_directories(heroq_${name} INTERFACE ${CMAKE_SOURCE_DIR})
  target_link_libraries(heroq_${name} INTERFACE ${ARG_DEPS})
endfunction()

function(heroq_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _heroq_program(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
endfunction()

# heroq_test(NAME SOURCES a_test.cc ... [DEPS lib ...] [LABELS l ...]): a gtest binary and one ctest entry.
function(heroq_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  _heroq_program(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

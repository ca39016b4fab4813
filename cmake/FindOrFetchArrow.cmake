# SPDX-License-Identifier: Apache-2.0
# FindOrFetchArrow.cmake - gives the targets vigie::arrow and vigie::parquet.
#
# 1. An installed Apache Arrow C++ (find_package) with its Parquet component,
#    unless VIGIE_ARROW_FORCE_WHEEL is ON.
# 2. Else the shared libraries and headers that the pinned pyarrow wheel ships.
#    The wheel is had with "pip download --require-hashes" (no Python
#    environment is made, nothing of pyarrow is imported), unpacked into a cache
#    folder, and its symbols are made private (see tools/privatise_symbols.py).
#
# Cache variables:
#   VIGIE_ARROW_FORCE_WHEEL  skip step 1
#   VIGIE_ARROW_WHEEL        path of a wheel already at hand (offline builds)
#   VIGIE_ARROW_CACHE        where the unpacked files go (default: vigie/arrow in
#                            $XDG_CACHE_HOME or $HOME/.cache, shared by all builds)
# Result variables: VIGIE_ARROW_ORIGIN ("system"/"wheel"), VIGIE_ARROW_RUNTIME
# (the .so files to install beside the program; empty for "system").
include_guard(GLOBAL)

set(VIGIE_ARROW_VERSION 26.0.1)
set(VIGIE_ARROW_SO 2600)
set(VIGIE_ARROW_PLATFORM manylinux_2_28_x86_64)
set(VIGIE_ARROW_SHA256 39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c)
set(VIGIE_ARROW_MINIMUM 24.0) # oldest installed Arrow taken in step 1

option(VIGIE_ARROW_FORCE_WHEEL "Do not look for an installed Arrow" OFF)
set(VIGIE_ARROW_WHEEL "" CACHE FILEPATH "pyarrow wheel already downloaded")
if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(_vigie_arrow_cache "$ENV{XDG_CACHE_HOME}/vigie/arrow")
elseif(NOT "$ENV{HOME}" STREQUAL "")
  set(_vigie_arrow_cache "$ENV{HOME}/.cache/vigie/arrow")
else()
  set(_vigie_arrow_cache "${CMAKE_BINARY_DIR}/_arrow")
endif()
set(VIGIE_ARROW_CACHE "${_vigie_arrow_cache}" CACHE PATH "Folder for the unpacked wheel")
set(_vigie_arrow_tool "${CMAKE_CURRENT_LIST_DIR}/../tools/privatise_symbols.py")

function(_vigie_arrow_system ok)
  set(${ok} FALSE PARENT_SCOPE)
  # No version is asked for here: Arrow's package files may accept only the same
  # major version, so the minimum is compared afterwards.
  find_package(Arrow CONFIG QUIET)
  find_package(Parquet CONFIG QUIET)
  if(NOT (Arrow_FOUND AND Parquet_FOUND))
    return()
  endif()
  if(Arrow_VERSION VERSION_LESS VIGIE_ARROW_MINIMUM)
    message(STATUS "Arrow: installed version ${Arrow_VERSION} is older than ${VIGIE_ARROW_MINIMUM}")
    return()
  endif()
  foreach(kind shared static)
    if(TARGET Arrow::arrow_${kind} AND TARGET Parquet::parquet_${kind})
      add_library(vigie_system_arrow INTERFACE)
      target_link_libraries(vigie_system_arrow INTERFACE Arrow::arrow_${kind})
      add_library(vigie::arrow ALIAS vigie_system_arrow)
      add_library(vigie_system_parquet INTERFACE)
      target_link_libraries(vigie_system_parquet INTERFACE Parquet::parquet_${kind} Arrow::arrow_${kind})
      add_library(vigie::parquet ALIAS vigie_system_parquet)
      set(${ok} TRUE PARENT_SCOPE)
      message(STATUS "Arrow: installed version ${Arrow_VERSION} (${kind})")
      return()
    endif()
  endforeach()
endfunction()

function(_vigie_arrow_wheel_file out)
  if(VIGIE_ARROW_WHEEL)
    set(whl "${VIGIE_ARROW_WHEEL}")
  else()
    set(dir "${VIGIE_ARROW_CACHE}/wheel")
    set(whl "${dir}/pyarrow-${VIGIE_ARROW_VERSION}-cp311-cp311-${VIGIE_ARROW_PLATFORM}.whl")
    if(NOT EXISTS "${whl}")
      file(MAKE_DIRECTORY "${dir}")
      file(WRITE "${dir}/pin.txt" "pyarrow==${VIGIE_ARROW_VERSION} --hash=sha256:${VIGIE_ARROW_SHA256}\n")
      execute_process(COMMAND "${Python3_EXECUTABLE}" -m pip --version RESULT_VARIABLE rc OUTPUT_QUIET ERROR_QUIET)
      if(NOT rc EQUAL 0)
        message(FATAL_ERROR "Arrow: ${Python3_EXECUTABLE} has no pip (apt-get install python3-pip), "
          "which fetches the pyarrow wheel.  Or install Arrow C++ ${VIGIE_ARROW_MINIMUM} or newer, set VIGIE_ARROW_WHEEL to the "
          "wheel's path, or build with -DVIGIE_ARROW=OFF.")
      endif()
      message(STATUS "Arrow: downloading the pyarrow ${VIGIE_ARROW_VERSION} wheel (about 55 MB)")
      execute_process(
        COMMAND "${Python3_EXECUTABLE}" -m pip download -q --disable-pip-version-check
                --no-deps --only-binary=:all: --require-hashes
                --implementation cp --python-version 3.11 --abi cp311
                --platform ${VIGIE_ARROW_PLATFORM} -d "${dir}" -r "${dir}/pin.txt"
        RESULT_VARIABLE rc ERROR_VARIABLE err)
      if(NOT rc EQUAL 0)
        message(FATAL_ERROR "Arrow: pip download failed (${rc}): ${err}\n"
          "Install Arrow C++, set VIGIE_ARROW_WHEEL to the wheel's path, or build with -DVIGIE_ARROW=OFF.")
      endif()
    endif()
  endif()
  file(SHA256 "${whl}" sum)
  if(NOT sum STREQUAL VIGIE_ARROW_SHA256)
    message(FATAL_ERROR "Arrow: ${whl} has sha256 ${sum}, not ${VIGIE_ARROW_SHA256}")
  endif()
  set(${out} "${whl}" PARENT_SCOPE)
endfunction()

function(_vigie_arrow_from_wheel)
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux" OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    message(FATAL_ERROR "Arrow: the pinned wheel is for Linux on x86-64 only")
  endif()
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  # Two configures at once (presets, CI) share the cache: the second waits.
  file(MAKE_DIRECTORY "${VIGIE_ARROW_CACHE}")
  file(LOCK "${VIGIE_ARROW_CACHE}/lock" GUARD FUNCTION TIMEOUT 600)
  file(SHA256 "${_vigie_arrow_tool}" tool_sum)
  set(root "${VIGIE_ARROW_CACHE}/${VIGIE_ARROW_VERSION}")
  set(stamp "${root}/stamp")
  set(want "${VIGIE_ARROW_SHA256} ${tool_sum}")
  set(have "")
  if(EXISTS "${stamp}")
    file(READ "${stamp}" have)
  endif()
  if(NOT have STREQUAL want)
    _vigie_arrow_wheel_file(whl)
    file(REMOVE_RECURSE "${root}")
    file(MAKE_DIRECTORY "${root}/lib")
    # A wheel is a zip archive; only headers, two libraries and licences are kept.
    file(ARCHIVE_EXTRACT INPUT "${whl}" DESTINATION "${root}/x" PATTERNS
      "pyarrow/include/*" "pyarrow/libarrow.so.${VIGIE_ARROW_SO}"
      "pyarrow/libparquet.so.${VIGIE_ARROW_SO}" "pyarrow-*.dist-info/licenses/*")
    file(RENAME "${root}/x/pyarrow/include" "${root}/include")
    file(RENAME "${root}/x/pyarrow-${VIGIE_ARROW_VERSION}.dist-info/licenses" "${root}/licenses")
    set(libs "")
    foreach(l arrow parquet)
      file(RENAME "${root}/x/pyarrow/lib${l}.so.${VIGIE_ARROW_SO}" "${root}/lib/lib${l}.so.${VIGIE_ARROW_SO}")
      list(APPEND libs "${root}/lib/lib${l}.so.${VIGIE_ARROW_SO}")
    endforeach()
    file(REMOVE_RECURSE "${root}/x")
    execute_process(COMMAND "${Python3_EXECUTABLE}" "${_vigie_arrow_tool}" ${libs}
      RESULT_VARIABLE rc OUTPUT_VARIABLE said ERROR_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT rc EQUAL 0)
      message(FATAL_ERROR "Arrow: privatise_symbols.py failed: ${said}")
    endif()
    message(STATUS "Arrow: ${said}")
    file(WRITE "${stamp}" "${want}")
  endif()
  foreach(l arrow parquet)
    add_library(vigie_wheel_${l} SHARED IMPORTED GLOBAL)
    set_target_properties(vigie_wheel_${l} PROPERTIES
      IMPORTED_LOCATION "${root}/lib/lib${l}.so.${VIGIE_ARROW_SO}"
      IMPORTED_SONAME "lib${l}.so.${VIGIE_ARROW_SO}"
      INTERFACE_COMPILE_FEATURES cxx_std_20)
    target_include_directories(vigie_wheel_${l} SYSTEM INTERFACE "${root}/include")
    add_library(vigie::${l} ALIAS vigie_wheel_${l})
  endforeach()
  target_link_libraries(vigie_wheel_parquet INTERFACE vigie_wheel_arrow)
  set(VIGIE_ARROW_RUNTIME "${root}/lib/libarrow.so.${VIGIE_ARROW_SO};${root}/lib/libparquet.so.${VIGIE_ARROW_SO}" PARENT_SCOPE)
  set(VIGIE_ARROW_LIBRARY_DIR "${root}/lib" PARENT_SCOPE)
  set(VIGIE_ARROW_LICENSES "${root}/licenses" PARENT_SCOPE)
endfunction()

set(VIGIE_ARROW_ORIGIN "")
set(VIGIE_ARROW_RUNTIME "")
if(NOT VIGIE_ARROW_FORCE_WHEEL)
  _vigie_arrow_system(_vigie_arrow_ok)
  if(_vigie_arrow_ok)
    set(VIGIE_ARROW_ORIGIN system)
  endif()
endif()
if(NOT VIGIE_ARROW_ORIGIN)
  _vigie_arrow_from_wheel()
  set(VIGIE_ARROW_ORIGIN wheel)
  message(STATUS "Arrow: ${VIGIE_ARROW_VERSION} from the pyarrow wheel")
endif()

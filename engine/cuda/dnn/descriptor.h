#pragma once

#include <cstdint>
#include <utility>

#include "engine/cuda/dnn/library.h"

// Internal to engine/cuda/dnn.

namespace plumb::dnn {

/// A backend descriptor that destroys itself. The first failure of any call stays in status(); that cuDNN refuses
/// something is part of planning, so nothing here throws.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(cudnnBackendDescriptorType_t type) { note(library().create(type, &raw_)); }
  Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)), status_(other.status_) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    std::swap(status_, other.status_);
    return *this;
  }
  ~Descriptor() {
    if (raw_) (void)library().destroy(raw_);
  }

  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T* values,
                  int64_t count = 1) {
    note(library().set(raw_, name, type, count, values));
    return *this;
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, &other.raw_);
  }
  Descriptor& finalize() {
    note(library().finalize(raw_));
    return *this;
  }

  cudnnBackendDescriptor_t raw() const { return raw_; }
  cudnnStatus_t status() const { return status_; }
  bool is_good() const { return raw_ && status_ == CUDNN_STATUS_SUCCESS; }

 private:
  void note(cudnnStatus_t status) {
    if (status_ == CUDNN_STATUS_SUCCESS) status_ = status;
  }

  cudnnBackendDescriptor_t raw_ = nullptr;
  cudnnStatus_t status_ = CUDNN_STATUS_SUCCESS;
};

}  // namespace plumb::dnn

#pragma once

namespace heroq {

// Limits both ends of a connection agree on.

// Largest message a server takes.
inline constexpr int kMaxRequestBytes = 4 << 20;
// Largest message a client takes: the plan of a model with many experts is larger than any request.
inline constexpr int kMaxReplyBytes = 64 << 20;
// Largest piece of a blob in one message.
inline constexpr int kMaxChunkBytes = 1 << 20;
// Largest blob a worker may upload: the second moments of an input of 90,000 features.
inline constexpr long kMaxBlobBytes = 16L << 30;
inline constexpr int kMaxMetadataBytes = 16 << 10;
inline constexpr int kKeepaliveTimeMs = 30'000;
inline constexpr int kKeepaliveTimeoutMs = 10'000;
// A client that pings more often is disconnected.
inline constexpr int kMinimumPingIntervalMs = 20'000;
inline constexpr int kMaxConcurrentStreams = 128;
inline constexpr int kStreamLookaheadBytes = 256 << 10;
// Soft limit on memory of a server's connections.
inline constexpr long kServerMemoryBytes = 256L << 20;

}  // namespace heroq

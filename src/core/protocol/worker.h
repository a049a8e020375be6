// What a backend and its `lookalike-worker` say to each other.
//
// Messages are datagrams on a SOCK_SEQPACKET socket; one request is in flight at a time, answered
// by any number of progress replies and then one final reply (done or error). Bulk data never
// travels through the socket: it lies in a shared area (a memfd, sealed against resizing) that the
// backend creates, and messages name places in it as byte offsets. Both ends run on one machine
// from one build, so fields are in native byte order.
//
// Neither side trusts the other: a message is copied before it is checked, and everything in the
// shared area may change at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/vector/element.h"

namespace lookalike {

constexpr uint32_t kWorkerMagic = 0x574b414c;  // "LAKW"
constexpr uint16_t kWorkerVersion = 4;

/// The descriptors that a worker finds open when it starts, beside 0, 1 and 2.
constexpr int kWorkerSocketFd = 3;
constexpr int kWorkerSharedFd = 4;

constexpr uint32_t kWorkerMaxDims = 65536;
constexpr uint32_t kWorkerMaxLists = 1u << 24;
constexpr uint32_t kWorkerMaxIterations = 1000;
/// Longest text of a reply, in bytes; longer ones are cut by the worker.
constexpr size_t kWorkerTextBytes = 1024;
/// Every offset into the shared area is a multiple of this, so that rows are aligned.
constexpr uint64_t kWorkerAlignment = 64;
/// Rows whose squared length exceeds this are refused: the sums of FAISS would overflow.
constexpr float kWorkerMaxSquaredNorm = 1e37f;

constexpr uint32_t kWorkerMaxImages = 256;          ///< of one request
constexpr uint32_t kWorkerMaxSpecBytes = 4096;      ///< text of an extractor specification
constexpr uint32_t kWorkerMaxThumbnailSize = 2048;  ///< pixels on the longer side
constexpr size_t kWorkerMaxModelKey = 128;          ///< bytes of "name@version"

/// A row of bits takes so many words of 8 bytes: its own bytes, then zeros.
constexpr uint64_t bit_row_words(uint64_t dims) {
    return (dims + 63) / 64;
}

/// Bytes from one row of a batch to the next. REQUIRES: real or bit.
constexpr uint64_t worker_row_bytes(Kind kind, uint64_t dims) {
    return kind == Kind::kBit ? bit_row_words(dims) * sizeof(uint64_t) : dims * sizeof(float);
}

/// Numbers are never reused.
enum class WorkerKind : uint16_t {
    kVersions = 1,
    kTrain = 2,
    kSetCentroids = 3,
    kAssign = 4,
    kImageInfo = 5,
    kImageFeatures = 6,
    kImageThumbnail = 7,
    kImageExtractors = 8,
    kLoadModel = 9,
    kFindModel = 10,
    kImageLocalFeatures = 11,
    kImageDrawMatches = 12,
    kTrainProjection = 13,
    kTextFeatures = 14,
    kTrainCodebook = 15,
};

enum class WorkerStatus : uint16_t {
    kDone = 1,
    kProgress = 2,
    kError = 3,
};

enum class WorkerError : uint32_t {
    kNone = 0,
    kProtocol = 1,  ///< the request itself is malformed: a bug or two versions that do not match
    kInvalidInput = 2,  ///< the rows cannot be used: NaN, infinity, too large
    kMemory = 3,        ///< the memory budget does not suffice
    kFailed = 4,        ///< a library refused; the text is its message
    // Of image requests; the text is a primary message in PostgreSQL's style.
    kImageUnreadable = 5,
    kImageUnsupported = 6,
    kImageTooLarge = 7,
    kBadSpec = 8,
    kUnknownExtractor = 9,
    kModel = 10,         ///< a network that does not load or does not run
    kModelMissing = 11,  ///< the text is the "name@version" to be loaded first
    // 12 to 14: what decoding an image takes.
    kImageOutOfMemory = 12,  ///< it ran out of memory, of which images before may have taken some
    kImageNeedsMemory = 13,  ///< more memory than there is at all, as its header tells
    kImageTooSlow = 14,      ///< far longer than its size, as the file tells
};

/// What centroids are learned for. Numbers are never reused.
enum class LearnAim : uint32_t {
    kLists = 0,       ///< lists of an index: small ones give way, so that large ones are halved
    kClusters = 1,    ///< clusters: the least sum of squared distances, however large they are
    kDirections = 2,  ///< the same of rows of length 1, by centroids of length 1
};

struct WorkerTrainRequest {
    uint64_t rows_offset;       ///< row_count x dims floats, read
    uint64_t centroids_offset;  ///< list_count x dims floats, written
    uint64_t row_count;         ///< at least 1
    uint32_t list_count;        ///< wanted; as many are learned as there are distinct rows at most
    uint32_t dims;
    uint32_t iteration_count;
    uint32_t aim;  ///< a LearnAim
};

/// What a projection is learned from. Numbers are never reused.
enum class ProjectionAim : uint32_t {
    kWhitening = 0,   ///< points alone, whose principal components are made equally long
    kLabels = 1,      ///< points, and to which of several classes each belongs
    kPairs = 2,       ///< points in twos, and whether these belong together
    kComponents = 3,  ///< points alone, whose principal components stay as they are
};

struct WorkerProjectionRequest {
    uint64_t points_offset;  ///< point_count x dims floats, read
    uint64_t marks_offset;   ///< a uint64_t for each point or each two points, read
    uint64_t result_offset;  ///< a WorkerProjectionResult and (dims + 1) x dims_out floats, written
    uint64_t mark_count;     ///< points, or pairs of them; at least 1
    uint32_t dims;
    uint32_t dims_out;  ///< wanted; 0: as the worker likes
    uint32_t aim;       ///< a ProjectionAim
    uint32_t padding;
};

struct WorkerProjectionResult {
    uint32_t dims_out;  ///< 0: nothing was learned
    uint32_t padding;
    double held_out_before;  ///< NaN where nothing could be held out
    double held_out_after;
    uint64_t reserved[5];
};

struct WorkerCodebookRequest {
    uint64_t pictures_offset;  ///< picture_count WorkerRanges: values of local features, read
    uint64_t result_offset;    ///< a WorkerCodebookResult and a codebook, written; perhaps over the
                               ///< pictures
    uint64_t result_bytes;     ///< room for both
    uint64_t most_features;    ///< that words are learned from, at least 1
    uint32_t picture_count;    ///< at least one of them has a feature
    uint32_t most_pictures;    ///< that components are learned from, at least 1
    uint32_t word_count;       ///< wanted, at least 1
    uint32_t dims;             ///< wanted; 0: as many as words give
    uint32_t max_features;     ///< of a picture that is described later
    uint8_t aim;               ///< a CodebookAim
    uint8_t kind;              ///< a LocalKind
    uint8_t whiten;            ///< 1: with dims
    uint8_t padding;
};

/// Followed by byte_count bytes: see core/codebook/codebook.h.
struct WorkerCodebookResult {
    uint64_t byte_count;
    uint64_t reserved[7];
};

struct WorkerSetCentroidsRequest {
    uint64_t centroids_offset;  ///< list_count rows of that kind, copied by the worker
    uint32_t list_count;
    uint32_t dims;
    uint32_t kind;  ///< of element.h: real or bit
    uint32_t padding;
};

struct WorkerAssignRequest {
    uint64_t rows_offset;       ///< row_count rows of that kind, read
    uint64_t list_ids_offset;   ///< row_count uint32_t, written
    uint64_t distances_offset;  ///< row_count floats, written: squared L2 distance to that
                                ///< centroid; of bits how many differ
    uint64_t row_count;
    uint32_t dims;  ///< those of the centroids set before
    uint32_t kind;  ///< theirs as well
};

/// A piece of the shared area.
struct WorkerRange {
    uint64_t offset;
    uint64_t byte_count;
};

/// kImageInfo, kImageFeatures, kImageThumbnail, kImageLocalFeatures; kImageExtractors uses the
/// result fields only, and for kTextFeatures the image is a text in UTF-8. The result may take the
/// place of the images: it is written when they have been read. kImageFeatures and
/// kImageLocalFeatures are answered by a progress reply after each image that has been decoded,
/// unless there is one image and no network: then decoding it is nearly all.
struct WorkerImageRequest {
    uint64_t images_offset;  ///< image_count WorkerRanges, one for each image's bytes, read
    uint64_t spec_offset;    ///< spec_bytes bytes of text, read
    uint64_t result_offset;  ///< a WorkerImageResult and byte_count bytes after it, written
    uint64_t result_bytes;   ///< room for both
    uint64_t max_pixels;     ///< images with more are refused
    uint32_t image_count;  ///< 1; kImageDrawMatches: 2; kImageFeatures and kImageLocalFeatures: up
                           ///< to kWorkerMaxImages
    uint32_t spec_bytes;   ///< kImageFeatures
    uint32_t thumbnail_size;  ///< kImageThumbnail: pixels on the longer side; kImageDrawMatches: of
                              ///< each image
    uint32_t local_kind;      ///< kImageLocalFeatures, kImageDrawMatches: see local_features.h
    uint32_t max_features;    ///< the same: at most kMaxLocalFeatures of each image
    uint32_t mirrored;        ///< the same: 1 looks at the images in a mirror
};

/// What an image request leaves in the shared area, followed by byte_count bytes:
/// kImageFeatures: the elements of one descriptor after the other, as element_bytes() counts them;
/// kImageThumbnail, kImageDrawMatches: an image file; kImageExtractors: WorkerExtractors;
/// kImageLocalFeatures: one value after the other, each as long as its header says. kImageInfo
/// fills width and what follows; the format's name is the reply's text.
struct WorkerImageResult {
    uint64_t byte_count;
    uint32_t kind;  ///< of element.h
    uint32_t dims;
    uint32_t width;
    uint32_t height;
    uint32_t channels;
    int32_t orientation;
    uint64_t reserved[4];
};

/// One built-in extractor. Texts end with a zero.
struct WorkerExtractor {
    char name[64];
    char description[240];
    uint32_t version;
    uint32_t dims;
    uint32_t kind;    ///< of element.h
    uint32_t metric;  ///< of metric.h
};

/// kLoadModel: keeps the network under its key until memory is short. kFindModel does the same with
/// a network that the warm parent has loaded, and reads nothing but the config.
struct WorkerModelRequest {
    uint64_t model_offset;  ///< model_bytes bytes of ONNX and of a tokenizer, read
    uint64_t model_bytes;
    uint64_t config_offset;  ///< a WorkerModelConfig, read
};

struct WorkerModelConfig {
    char key[kWorkerMaxModelKey];  ///< "name@version", ends with a zero
    char layer[128];               ///< the output's name, empty for the last; ends with a zero
    uint32_t input_width;
    uint32_t input_height;
    float mean[3];  ///< subtracted, in units of 0..255
    float std[3];   ///< divides after that
    uint32_t bgr;   ///< 1: blue comes first
    uint32_t normalize;
    uint32_t crop;       ///< 1: the middle of a picture in the shape of the input, not all of it
    uint8_t digest[32];  ///< SHA-256 of the bytes; zeros in kLoadModel
    // Of a network for texts; then the key starts with "text:". Nothing is left to the compiler:
    // equal ones have equal bytes.
    uint32_t tokenizer;        ///< a TokenizerKind; 0: a network for pictures
    uint32_t context;          ///< tokens that it reads
    uint32_t lower_case;       ///< 1: capital letters count as small ones
    uint32_t pooling;          ///< a Pooling
    uint32_t codebook;         ///< 1: a codebook; then the key starts with "codebook:"
    uint64_t tokenizer_bytes;  ///< the last bytes of the model are the tokenizer's file
};

struct WorkerRequest {
    uint32_t magic = kWorkerMagic;
    uint16_t version = kWorkerVersion;
    WorkerKind kind = {};
    uint64_t request_id = 0;  ///< comes back in every reply
    union {
        WorkerTrainRequest train;
        WorkerSetCentroidsRequest set_centroids;
        WorkerAssignRequest assign;
        WorkerImageRequest image;
        WorkerModelRequest model;
        WorkerProjectionRequest projection;
        WorkerCodebookRequest codebook;
        uint64_t reserved[10] = {};
    };
};

/// A reply on the wire is this header followed by text_bytes bytes of text, without a closing zero.
struct WorkerReply {
    uint32_t magic = kWorkerMagic;
    uint16_t version = kWorkerVersion;
    WorkerKind kind = {};  ///< that of the request; 0 when it could not be read
    uint64_t request_id = 0;
    WorkerStatus status = {};
    uint16_t padding = 0;
    WorkerError error = {};
    uint32_t text_bytes = 0;  ///< kVersions: a line for each library; kError: what went wrong;
                              ///< kLoadModel, kFindModel: what runs the network, by name
    uint32_t list_count = 0;  ///< kTrain, done: centroids learned, 1 .. those wanted;
                              ///< kLoadModel, kFindModel, done: dimensions of its descriptors
    uint64_t step = 0;        ///< kProgress: steps finished
    uint64_t step_count = 0;  ///< kProgress: steps in all
};

static_assert(sizeof(WorkerTrainRequest) == 40);
static_assert(sizeof(WorkerSetCentroidsRequest) == 24);
static_assert(sizeof(WorkerProjectionRequest) == 48);
static_assert(sizeof(WorkerProjectionResult) == kWorkerAlignment);
static_assert(sizeof(WorkerCodebookRequest) == 56);
static_assert(sizeof(WorkerCodebookResult) == kWorkerAlignment);
static_assert(sizeof(WorkerAssignRequest) == 40);
static_assert(sizeof(WorkerImageRequest) == 64);
static_assert(sizeof(WorkerImageResult) == kWorkerAlignment);
static_assert(sizeof(WorkerExtractor) == 320);
static_assert(sizeof(WorkerModelRequest) == 24);
static_assert(sizeof(WorkerModelConfig) == 360);
static_assert(sizeof(WorkerRequest) == 96);
static_assert(sizeof(WorkerReply) == 48);
static_assert(std::is_trivially_copyable_v<WorkerRequest>);
static_assert(std::is_trivially_copyable_v<WorkerReply>);
static_assert(sizeof(float) == 4);

/// True when item_count items of item_bytes each lie inside the shared area from an aligned offset
/// on. Safe against overflow. REQUIRES: item_bytes > 0.
constexpr bool lies_in_shared_area(uint64_t shared_bytes, uint64_t offset, uint64_t item_count,
                                   uint64_t item_bytes) {
    if (offset % kWorkerAlignment != 0 || offset > shared_bytes) return false;
    return item_count <= (shared_bytes - offset) / item_bytes;
}

/// The next place in the shared area that an offset may name.
constexpr uint64_t align_in_shared_area(uint64_t offset) {
    return (offset + kWorkerAlignment - 1) / kWorkerAlignment * kWorkerAlignment;
}

/// A memory budget that suffices to train so many lists and to assign rows to them, beside the
/// shared area. When nearly all rows fall to one of more than 4,096 lists, training may need more.
constexpr uint64_t worker_training_bytes(uint64_t row_count, uint64_t dims, uint64_t list_count) {
    const uint64_t blas_bytes = 8u << 20;
    const uint64_t answer_bytes = 24 * row_count;
    const uint64_t centroid_bytes = list_count * (3 * dims * sizeof(float) + 512);
    const uint64_t part_bytes = row_count * dims * sizeof(float) / 16;
    return blas_bytes + answer_bytes + centroid_bytes + part_bytes;
}

/// Dimensions of what a projection gives, at most.
constexpr uint32_t kMaxComponents = 256;

/// A memory budget that suffices to learn a projection from so many points, beside the shared area:
/// the points' principal components, the square of the dimensions twice, squares of the components.
constexpr uint64_t projection_training_bytes(uint64_t point_count, uint64_t dims) {
    const uint64_t blas_bytes = 16u << 20;
    const uint64_t components = dims < kMaxComponents ? dims : kMaxComponents;
    const uint64_t square_bytes = (2 * dims * dims + 3 * components * dims) * sizeof(double);
    const uint64_t small_bytes = 12 * components * components * sizeof(double);
    return blas_bytes + point_count * (components * sizeof(float) + 64) + square_bytes +
           small_bytes;
}

/// The same for the words of a codebook: features of so many dimensions, which become fewer.
constexpr uint64_t word_training_bytes(uint64_t feature_count, uint64_t dims, uint64_t dims_after,
                                       uint64_t word_count) {
    const uint64_t feature_bytes = (dims + 2 * dims_after) * sizeof(float) + 64;
    return projection_training_bytes(0, dims) + feature_count * feature_bytes +
           worker_training_bytes(feature_count, dims_after, word_count);
}

/// The same for the components of a codebook: pictures of so many sums, which become fewer. Their
/// inner products twice, eigenvectors twice, the codebook twice.
constexpr uint64_t component_training_bytes(uint64_t picture_count, uint64_t sums,
                                            uint64_t dims_after) {
    const uint64_t blas_bytes = 16u << 20;
    const uint64_t square_bytes = 2 * picture_count * picture_count * sizeof(double);
    const uint64_t vector_bytes = (2 * dims_after + 128) * picture_count * sizeof(double);
    return blas_bytes + square_bytes + vector_bytes + picture_count * sums * sizeof(float) +
           2 * (sums + 1) * dims_after * sizeof(float) + 4 * sums * sizeof(double);
}

}  // namespace lookalike

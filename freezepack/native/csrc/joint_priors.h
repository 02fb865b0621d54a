// Where counters and effects of the codec `joint` start: formats/joint.md, section 9.
// Means are in 2^-16, variances in 2^-24, counts in 1/16.
#ifndef FREEZEPACK_JOINT_PRIORS_H
#define FREEZEPACK_JOINT_PRIORS_H

#include <cstdint>

namespace fpk {

struct JointStart {
    int32_t mean;
    uint32_t variance;
};

// For planes, images and other matrices.
struct JointPrior {
    uint32_t row_stays, row_turns, channel_dies, channel_lives;
    int32_t fed;
    JointStart bias;
    JointStart row;
    JointStart channel;
    JointStart column;
    JointStart cell;
    JointStart place;
    JointStart left[3];
    JointStart up[3];
    JointStart up_left[3];
    JointStart up_right[3];
    JointStart pattern;
    JointStart around;
    JointStart slope;
    JointStart blur;
    JointStart side;
    JointStart signs[5];
    JointStart alike;
    JointStart magnitude;
    JointStart strong_row;
    JointStart large[4];
    JointStart agree[3];
};

// clang-format off
constexpr JointPrior kJointPriors[3] = {
    {  // planes
        91, 10, 2568, 2592, 70,
        {-59392, 1572864},  // bias
        {0, 524288},  // row
        {0, 393216},  // channel
        {0, 3145728},  // column
        {0, 1048576},  // cell
        {0, 786432},  // place
        {{0, 196608}, {43008, 196608}, {38912, 196608}},  // left
        {{0, 196608}, {32768, 196608}, {28672, 196608}},  // up
        {{0, 196608}, {24576, 196608}, {22528, 196608}},  // up_left
        {{0, 196608}, {26624, 196608}, {24576, 196608}},  // up_right
        {0, 393216},  // pattern
        {-8192, 393216},  // around
        {8704, 196608},  // slope
        {16384, 786432},  // blur
        {0, 65536},  // side
        {{86016, 786432}, {45056, 786432}, {36864, 786432}, {-16384, 786432},
         {-26624, 786432}},  // signs
        {0, 524288},  // alike
        {-77824, 67108864},  // magnitude
        {0, 196608},  // strong_row
        {{0, 262144}, {-10240, 262144}, {16384, 262144}, {16384, 262144}},  // large
        {{-16384, 131072}, {0, 131072}, {16384, 131072}},  // agree
    },
    {  // images
        45, 23, 16, 16, 77,
        {-20480, 1572864},  // bias
        {0, 49152},  // row
        {0, 786432},  // channel
        {0, 0},  // column
        {0, 0},  // cell
        {0, 0},  // place
        {{0, 196608}, {28672, 196608}, {59392, 196608}},  // left
        {{0, 196608}, {12288, 196608}, {26624, 196608}},  // up
        {{0, 196608}, {16384, 196608}, {32768, 196608}},  // up_left
        {{0, 196608}, {14336, 196608}, {28672, 196608}},  // up_right
        {0, 1572864},  // pattern
        {-3072, 1572864},  // around
        {6656, 196608},  // slope
        {8192, 1572864},  // blur
        {0, 393216},  // side
        {{131072, 6291456}, {122880, 6291456}, {110592, 6291456}, {71680, 6291456},
         {26624, 6291456}},  // signs
        {0, 2097152},  // alike
        {-137216, 67108864},  // magnitude
        {0, 786432},  // strong_row
        {{0, 12288}, {2048, 12288}, {55296, 12288}, {55296, 12288}},  // large
        {{-20480, 24576}, {0, 24576}, {20480, 24576}},  // agree
    },
    {  // others
        64, 4, 328, 2816, 90,
        {45056, 6291456},  // bias
        {0, 4194304},  // row
        {0, 1572864},  // channel
        {0, 0},  // column
        {0, 0},  // cell
        {0, 0},  // place
        {{0, 0}, {0, 0}, {0, 0}},  // left
        {{0, 0}, {0, 0}, {0, 0}},  // up
        {{0, 0}, {0, 0}, {0, 0}},  // up_left
        {{0, 0}, {0, 0}, {0, 0}},  // up_right
        {0, 0},  // pattern
        {0, 0},  // around
        {0, 0},  // slope
        {0, 0},  // blur
        {0, 8388608},  // side
        {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}},  // signs
        {0, 1572864},  // alike
        {20480, 67108864},  // magnitude
        {0, 65536},  // strong_row
        {{0, 0}, {0, 0}, {0, 0}, {0, 0}},  // large
        {{0, 0}, {0, 0}, {0, 0}},  // agree
    },
};

constexpr JointStart kJointChannel = {32768, 16777216};
constexpr JointStart kJointNear[6][3] = {
    {{-26624, 8388608}, {26624, 8388608}, {0, 8388608}},
    {{-12288, 3145728}, {12288, 3145728}, {0, 3145728}},
    {{-26624, 8388608}, {26624, 8388608}, {0, 8388608}},
    {{-26624, 8388608}, {26624, 8388608}, {0, 8388608}},
    {{-12288, 3145728}, {12288, 3145728}, {0, 3145728}},
    {{-12288, 3145728}, {12288, 3145728}, {0, 3145728}},
};
constexpr JointStart kJointLine = {0, 786432};
constexpr JointStart kJointDepth = {0, 524288};
constexpr JointStart kJointFall = {0, 16777216};
constexpr JointStart kJointBaseSide = {0, 393216};
constexpr JointStart kJointLater = {-65536, 67108864};
constexpr JointStart kJointTrained[2] = {{-77824, 67108864}, {-196608, 4194304}};
constexpr JointStart kJointLastSize[3] = {{-20480, 8388608}, {0, 8388608}, {20480, 8388608}};
constexpr JointStart kJointPositive = {0, 8388608};
constexpr JointStart kJointLastSign = {0, 4194304};
constexpr JointStart kJointLastPower = {0, 4194304};
constexpr JointStart kJointFirstOfVector = {0, 8388608};
constexpr JointStart kJointLaterOfVector = {0, 8388608};
// clang-format on

}  // namespace fpk

#endif

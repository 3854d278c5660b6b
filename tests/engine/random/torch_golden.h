#pragma once

// Written by torch_golden.py; do not edit.
// torch 2.15.0+cu132, numpy 2.4.6, CPU capability AVX512

#include <cstdint>
#include <vector>

namespace golden {

inline const std::vector<double> rand_f32_seed1_8 = {
    0x1.83e84a0000000p-1, 0x1.1e03ac0000000p-2, 0x1.9cbe300000000p-2, 0x1.7828900000000p-1,
    0x1.dfbfc00000000p-6, 0x1.9987120000000p-1, 0x1.96ab2c0000000p-2, 0x1.823d0a0000000p-1};

inline const std::vector<double> rand_f64_seed1_5 = {
    0x1.f425ff4780eb0p-5, 0x1.cbe33baf05120p-3, 0x1.dfbfc83330e24p-3, 0x1.6ab2fff047a14p-3,
    0x1.1cb4f3c7053c0p-1};

inline const std::vector<double> uniform_f32_seed2_9 = {
    0x1.423f6c0000000p-2, 0x1.4bd4200000000p-4, 0x1.5934800000000p-2, 0x1.654bd80000000p-3,
    0x1.a785240000000p-2, 0x1.46b1780000000p-2, 0x1.23e8280000000p-3, -0x1.a244100000000p-3,
    0x1.41b26c0000000p-2};

inline const std::vector<double> randn_f32_seed3_5_then_5 = {
    0x1.9b47000000000p-1, 0x1.660f0c0000000p-3, 0x1.6c744c0000000p-4, -0x1.3a39400000000p-1,
    0x1.7a539e0000000p-5, -0x1.5e463c0000000p+0, 0x1.5998500000000p-2, 0x1.02d87e0000000p+0,
    -0x1.6f67ea0000000p+0, 0x1.f471f00000000p-1};

inline const std::vector<double> randn_f32_seed4_16 = {
    -0x1.e201580000000p-1, 0x1.4364240000000p+0, -0x1.785c160000000p-3, 0x1.343c340000000p-3,
    0x1.b854420000000p-4, -0x1.1cb4820000000p-2, -0x1.4d12c40000000p+1, 0x1.3fb8e40000000p-1,
    -0x1.bc9a100000000p-1, -0x1.a3f4060000000p-3, 0x1.971a2c0000000p-2, 0x1.57008a0000000p-1,
    -0x1.b7f7b40000000p-5, 0x1.7e87060000000p-5, -0x1.c461900000000p+0, -0x1.0f6b380000000p+1};

inline const std::vector<double> randn_f32_seed4_37 = {
    -0x1.e201580000000p-1, 0x1.4364240000000p+0, -0x1.785c160000000p-3, 0x1.343c340000000p-3,
    0x1.b854420000000p-4, -0x1.1cb4820000000p-2, -0x1.4d12c40000000p+1, 0x1.3fb8e40000000p-1,
    -0x1.bc9a100000000p-1, -0x1.a3f4060000000p-3, 0x1.971a2c0000000p-2, 0x1.57008a0000000p-1,
    -0x1.b7f7b40000000p-5, 0x1.7e87060000000p-5, -0x1.c461900000000p+0, -0x1.0f6b380000000p+1,
    0x1.84e38a0000000p+0, -0x1.561e0e0000000p-1, 0x1.9366ca0000000p-9, -0x1.3a77460000000p-3,
    0x1.23bdda0000000p+0, 0x1.b072440000000p+0, 0x1.1628940000000p-2, -0x1.17a4f00000000p-3,
    -0x1.6890820000000p-1, 0x1.019c2a0000000p+1, 0x1.d2f31c0000000p-1, 0x1.1beddc0000000p-2,
    0x1.aab73c0000000p-3, -0x1.d489620000000p-1, -0x1.1265d80000000p+1, 0x1.683cd40000000p+0,
    0x1.463df20000000p+0, -0x1.7fc0f20000000p-3, 0x1.168c200000000p+1, -0x1.25c8ca0000000p-1,
    -0x1.9dfeb40000000p-1};

inline const std::vector<double> randn_f64_seed4_15 = {
    -0x1.9af363238a72ap+0, 0x1.dc21773f04174p-3, 0x1.1eb40ff4a2f73p+1, 0x1.b1d07eebe9fa2p-1,
    0x1.335d6c0cd31c2p+0, -0x1.9b300238dcb38p-2, -0x1.6d0f9fe7bf9f1p+0, 0x1.ced023770114bp-1,
    0x1.b6205a076af1ep-1, 0x1.60b500ca215c2p-1, 0x1.c51cd874cf5f8p-1, 0x1.c548dc4fb4c74p+0,
    -0x1.4b8ad0a3cab3bp-4, 0x1.a3f42fa7ce022p-5, -0x1.bccda8e94af75p-1};

inline const std::vector<double> randn_f64_seed4_37 = {
    0x1.c629a5eecbf09p-1, -0x1.8d4dabda484b0p+0, 0x1.3b44f58082668p-3, 0x1.83e2a36e448e6p+0,
    -0x1.077f30654a9b2p+1, 0x1.43f718841fee0p+0, -0x1.f560e319d728ap-1, -0x1.cece7a9cbb5f2p-1,
    0x1.6d9de905db85dp-1, 0x1.e2deacacb0ebep-2, 0x1.3b63958400e54p-2, -0x1.dac0645b9ffb2p+0,
    0x1.4dc34f089e980p+0, 0x1.2a5e3e4ad316bp-5, -0x1.3e473dcc1a9e2p-2, 0x1.6d10268ec492bp+0,
    -0x1.44b624bdff339p-1, -0x1.8becbfc28f708p+0, -0x1.dc45f551efbb5p-2, 0x1.6d76476c12ea0p-1,
    0x1.6680701d749edp-1, 0x1.6d219dda174fcp-1, -0x1.b62a5a642d6aap-3, -0x1.c03fab6609f5bp+0,
    0x1.8274a14781222p+0, 0x1.188b764d9e450p+0, 0x1.6f45894bc7d34p+0, 0x1.c4ac223659005p-1,
    -0x1.09eb49dba90fcp-3, 0x1.ba662d63f0b3dp+0, 0x1.8064f1584d3e2p-1, -0x1.9bc9b7ac0fdefp-2,
    0x1.3cd04672d9d66p+0, -0x1.5a3b90f09db13p+0, -0x1.f8205e0415ba3p-4, 0x1.bfdc13c321e9cp-1,
    -0x1.3acc2b87ce1bdp-1};

inline const std::vector<double> normal_f32_seed5_20 = {
    0x1.5d7a2e0000000p+1, 0x1.484d5c0000000p+1, 0x1.249bf80000000p+1, 0x1.24c7260000000p+1,
    0x1.3dece60000000p+1, 0x1.365f2c0000000p+1, 0x1.4251ea0000000p+1, 0x1.3d9a4e0000000p+1,
    0x1.69d54e0000000p+1, 0x1.390e3e0000000p+1, 0x1.45a32a0000000p+1, 0x1.3ef7980000000p+1,
    0x1.57ba180000000p+1, 0x1.47e7940000000p+1, 0x1.43fccc0000000p+1, 0x1.5bf3d80000000p+1,
    0x1.4bea9c0000000p+1, 0x1.4081aa0000000p+1, 0x1.2d3dca0000000p+1, 0x1.27e3920000000p+1};

// randn(3), randn(18), randn(2): the kept second normal survives the block path.
inline const std::vector<double> randn_f32_seed6_mixed = {
    -0x1.dfd8960000000p+0, -0x1.fcc16e0000000p-1, 0x1.6fdaf00000000p-1, 0x1.b01aa80000000p-1,
    -0x1.e951f00000000p-2, 0x1.e5e6b00000000p-4, -0x1.3f0d7e0000000p-1, -0x1.3e12be0000000p-2,
    0x1.00f0ee0000000p-4, 0x1.bbfe840000000p-1, -0x1.2e4fac0000000p-4, 0x1.f42f0c0000000p+0,
    -0x1.c8bbd00000000p-2, -0x1.449b3c0000000p-1, -0x1.cd2f440000000p+0, 0x1.3a79360000000p-1,
    0x1.0e2db20000000p+0, -0x1.9470f60000000p-1, 0x1.029b2c0000000p-2, -0x1.64cccc0000000p-1,
    -0x1.33fd700000000p-8, -0x1.659bbe0000000p-1, 0x1.d907540000000p-3};

inline const std::vector<int64_t> randint_seed7_small = {
    INT64_C(55), INT64_C(107), INT64_C(416), INT64_C(486),
    INT64_C(353), INT64_C(682), INT64_C(282), INT64_C(339)};

inline const std::vector<int64_t> randint_seed7_below_2_28 = {
    INT64_C(59306160), INT64_C(171107527), INT64_C(128500261), INT64_C(27798011),
    INT64_C(3905098), INT64_C(174903522)};

inline const std::vector<int64_t> randint_seed7_at_2_28 = {
    INT64_C(171107524), INT64_C(27798006), INT64_C(174903507), INT64_C(77674087),
    INT64_C(249162937), INT64_C(59574807)};

inline const std::vector<int64_t> randint_seed7_wide = {
    INT64_C(-3204046499487750972), INT64_C(551904368352831990), INT64_C(3475536756154880211), INT64_C(-489481035468163481),
    INT64_C(4205664258540301497), INT64_C(-3901562524074702313)};

inline const std::vector<int64_t> randperm_seed8_13 = {
    INT64_C(3), INT64_C(5), INT64_C(8), INT64_C(12),
    INT64_C(11), INT64_C(7), INT64_C(2), INT64_C(10),
    INT64_C(1), INT64_C(0), INT64_C(9), INT64_C(6),
    INT64_C(4)};

// The last 8 of 20 000 draws: 62 refills later.
inline const std::vector<double> randn_f32_seed9_20000_last = {
    -0x1.4075200000000p+0, -0x1.281e420000000p-2, 0x1.a75e5c0000000p-1, -0x1.45dfac0000000p+0,
    0x1.023ea20000000p-4, 0x1.226c2c0000000p+0, 0x1.b5d7000000000p-4, 0x1.75a5e40000000p-3};

inline const std::vector<double> rand_f32_seed_2_40_plus_5 = {
    0x1.a916c60000000p-1, 0x1.0246700000000p-3, 0x1.d09fde0000000p-1, 0x1.a3cd7a0000000p-1};


}  // namespace golden

# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The PHP that is run on a node: reads the product's configuration, changes it by a list of operations, and applies it by functions of the product.

It runs on PHP 7.2 to 8.5, knows the functions of pfSense before 2.7 and after, and answers between two lines of a random word, so that nothing else on
its output can be taken for the answer. Whatever ends it, the answer says in which phase.
"""

from __future__ import annotations

# @REQUEST@ is replaced by the request: JSON, in base64 so that nothing in it can end the text.
PROGRAM = r"""<?php
$hafw = ['request' => json_decode(base64_decode('@REQUEST@'), true), 'phase' => 'loading', 'answered' => false, 'digest' => null,
    'written' => false, 'applied' => []];

function hafw_answer(array $answer) {
    global $hafw;
    $hafw['answered'] = true;
    $word = $hafw['request']['boundary'];
    $answer += ['written' => $hafw['written'], 'applied' => $hafw['applied'], 'revision' => $hafw['digest']];
    echo "\n{$word}\n" . json_encode($answer, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE) . "\n{$word}\n";
}

function hafw_fail($text) {
    global $hafw;
    hafw_answer(['error' => $text, 'phase' => $hafw['phase']]);
    exit(1);
}

// A fatal error, and a function of the product that ends the process, come by here.
register_shutdown_function(function () {
    global $hafw;
    if (!$hafw['answered']) {
        $error = error_get_last();
        $fatal = $error !== null && ($error['type'] & (E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_RECOVERABLE_ERROR));
        $text = $fatal ? "{$error['message']} in {$error['file']}:{$error['line']}" : 'the product ended the process';
        hafw_answer(['error' => $text, 'phase' => $hafw['phase']]);
    }
});

// Reading

function hafw_path() {
    global $g;
    return $g['conf_path'] . '/config.xml';
}

// The file itself, never the cache: that may be older than the file. Again while somebody writes it.
function hafw_load() {
    global $config;
    for ($tries = 0; $tries < 5; $tries++) {
        $digest = @hash_file('sha256', hafw_path());
        if (function_exists('config_read_file')) {
            $good = config_read_file(false, false);
        } else {
            $config = parse_config(true);
            $good = is_array($config);
        }
        if (!$good) {
            hafw_fail('config.xml cannot be read by the product');
        }
        if ($digest === @hash_file('sha256', hafw_path())) {
            return $digest;
        }
    }
    hafw_fail('config.xml changes all the time');
}

function hafw_top($key) {
    global $config;
    return function_exists('config_get_path') ? config_get_path($key) : (isset($config[$key]) ? $config[$key] : null);
}

function hafw_walk($value, array $path) {
    foreach ($path as $number => $step) {
        if (!is_array($value)) {
            return null;
        }
        if ($step === '*') {
            $found = [];
            foreach ($value as $key => $one) {
                $found[(string) $key] = hafw_walk($one, array_slice($path, $number + 1));
            }
            return (object) array_filter($found, function ($one) { return $one !== null; });
        }
        $key = hafw_key($value, $step);
        if ($key === null || !array_key_exists($key, $value)) {
            return null;
        }
        $value = $value[$key];
    }
    return $value;
}

function hafw_get(array $path) {
    return hafw_walk(hafw_top($path[0]), array_slice($path, 1));
}

// As texts: a tracker's leading zeros count.
function hafw_matches(array $element, array $fields) {
    foreach ($fields as $name => $value) {
        if (!isset($element[$name]) || $element[$name] !== $value) {
            return false;
        }
    }
    return true;
}

// A step of a path is a key, or the fields by which one element of a list is known; a text is its own field 0.
function hafw_key(array $list, $step) {
    if (!is_array($step)) {
        return $step;
    }
    $keys = [];
    foreach ($list as $key => $element) {
        if (hafw_matches((array) $element, $step)) {
            $keys[] = $key;
        }
    }
    if (count($keys) > 1) {
        throw new Exception(count($keys) . ' elements have ' . json_encode($step));
    }
    return $keys ? $keys[0] : null;
}

// Where a section names one of these devices as a word: path and names, never the text. Secrets and words for people are passed over.
function hafw_naming($value, array $path, $pattern, array &$found) {
    if (is_array($value)) {
        foreach ($value as $key => $one) {
            if (!preg_match('/^descr|pass|secret|psk|private/i', (string) $key)) {
                hafw_naming($one, array_merge($path, [(string) $key]), $pattern, $found);
            }
        }
    } elseif (is_string($value) && preg_match_all($pattern, $value, $names)) {
        $found[] = [$path, array_values(array_unique($names[0]))];
    }
}

// By the name that a person gave it, the status of each gateway that is watched: never what it is reached by.
function hafw_gateways() {
    require_once('gwlb.inc');
    $found = [];
    foreach (return_gateways_status(true) as $name => $gateway) {
        if (!isset($gateway['status']) || !is_string($gateway['status'])) {
            throw new Exception('the product tells no status of a gateway');
        }
        $found[(string) $name] = $gateway['status'];
    }
    return (object) $found;
}

function hafw_named(array $sections, array $devices) {
    $found = [];
    $words = implode('|', array_map(function ($device) { return preg_quote($device, '/'); }, $devices));
    foreach ($devices ? $sections : [] as $section) {
        hafw_naming(hafw_top($section), [$section], "/(?<![\\w.-])(?:{$words})(?![\\w.-])/", $found);
    }
    return $found;
}

// Changing

// What an operation is about is not there.
class HafwAbsent extends Exception {
}

function hafw_put($key, $value) {
    global $config;
    if (!function_exists('config_set_path')) {
        if ($value === null) {
            unset($config[$key]);
        } else {
            $config[$key] = $value;
        }
    } elseif ($value === null) {
        config_del_path($key);
    } else {
        config_set_path($key, $value);
    }
}

function hafw_operate($place, array $path, array $operation) {
    $place = $place === null || $place === '' ? [] : $place;
    if (!is_array($place)) {
        throw new Exception('a text is where ' . json_encode($operation['path']) . ' should lead');
    }
    if (!$path) {
        return hafw_insert($place, $operation);
    }
    $key = hafw_key($place, $path[0]);
    if ($key === null) {
        throw new HafwAbsent('no element has ' . json_encode($path[0]));
    }
    if (count($path) > 1 || $operation['op'] === 'insert') {
        if ($operation['op'] === 'delete' && !isset($place[$key])) {
            return $place;
        }
        $before = isset($place[$key]) ? $place[$key] : null;
        if ($before === null && $operation['op'] === 'set' && hafw_lenient()) {
            throw new HafwAbsent('nothing is at ' . json_encode($operation['path']));
        }
        $place[$key] = hafw_operate($before, array_slice($path, 1), $operation);
        // What has nothing left goes too, or it would stay as an empty element; what was an empty element stays one.
        if ($place[$key] === [] && $before === '') {
            $place[$key] = '';
        } elseif ($place[$key] === []) {
            unset($place[$key]);
        }
    } elseif ($operation['op'] === 'set') {
        $place[$key] = $operation['value'];
    } else {
        unset($place[$key]);
        $place = is_array($path[0]) ? array_values($place) : $place;
    }
    return $place;
}

function hafw_insert(array $list, array $operation) {
    $list = array_values($list);
    $before = $operation['before'] === null ? count($list) : hafw_key($list, $operation['before']);
    if (hafw_lenient() && $operation['identity'] !== null && hafw_key($list, $operation['identity']) !== null) {
        return $list;
    }
    if ($before === null && !hafw_lenient()) {
        throw new HafwAbsent('no element has ' . json_encode($operation['before']));
    }
    $before = $before === null ? count($list) : $before;
    array_splice($list, $before, 0, [$operation['value']]);
    return $list;
}

function hafw_lenient() {
    global $hafw;
    return !empty($hafw['request']['lenient']);
}

// Whether anything has changed by them.
function hafw_change(array $operations) {
    $changed = false;
    foreach ($operations as $operation) {
        $top = $operation['path'][0];
        $before = hafw_top($top);
        try {
            $tree = hafw_operate([$top => $before], $operation['path'], $operation);
        } catch (HafwAbsent $absent) {
            if (hafw_lenient()) {
                continue;
            }
            throw $absent;
        }
        hafw_put($top, isset($tree[$top]) ? $tree[$top] : null);
        $changed = $changed || hafw_top($top) !== $before;
    }
    return $changed;
}

function hafw_write(array $operations, $description, $digest) {
    global $hafw;
    $hafw['phase'] = 'changing';
    if (!hafw_change($operations) && hafw_lenient()) {
        return true;
    }
    $paths = array_column($operations, 'path');
    $wanted = array_map('hafw_get', $paths);
    if ($digest !== @hash_file('sha256', hafw_path())) {
        return false;
    }
    $hafw['phase'] = 'writing';
    $written = write_config($description);
    if (!is_array($written)) {
        @unlink(hafw_path() . '.' . getmypid());
        hafw_fail($written === false ? 'the product does not allow changes now'
            : 'the product could not write it; free on that disk: ' . (int) (@disk_free_space(dirname(hafw_path())) / 1024) . ' KiB');
    }
    $hafw['digest'] = @hash_file('sha256', hafw_path());
    $hafw['phase'] = 'checking';
    if ($hafw['digest'] === $digest) {
        hafw_fail('the product could not read what it had written, and put its backup in place; see ' . hafw_path() . '.bad');
    }
    $hafw['written'] = true;
    // The product has read again what it wrote, and may have put a backup in its place.
    foreach ($paths as $number => $path) {
        if (hafw_get($path) !== $wanted[$number]) {
            hafw_fail('after writing, ' . json_encode($path, JSON_UNESCAPED_SLASHES) . ' is not as it was written');
        }
    }
    return true;
}

function hafw_element(array $list, array $fields) {
    $elements = hafw_get($list);
    $key = hafw_key(is_array($elements) ? $elements : [], $fields);
    if ($key === null) {
        throw new Exception('no ' . end($list) . ' has ' . json_encode($fields));
    }
    return $elements[$key];
}

// As the product's page does it: while the configuration in memory still names the device that the interface is to leave.
function hafw_bring_down($key, $device) {
    $interfaces = hafw_top('interfaces');
    if (!isset($interfaces[$key])) {
        return;
    }
    $now = $interfaces[$key]['if'];
    $interfaces[$key]['if'] = $device;
    hafw_put('interfaces', $interfaces);
    try {
        interface_bring_down($key);
    } finally {
        $interfaces[$key]['if'] = $now;
        hafw_put('interfaces', $interfaces);
    }
}

function hafw_lagg($name) {
    $lagg = hafw_element(['laggs', 'lagg'], ['laggif' => $name]);
    if (interface_lagg_configure($lagg) !== $name) {
        throw new Exception("the product could not make {$name}");
    }
}

// Newer releases make the VLANs of a LAGG as they make the LAGG.
function hafw_vlan(array $fields) {
    $vlan = hafw_element(['vlans', 'vlan'], $fields);
    if (!does_interface_exist($vlan['vlanif'], true) && interface_vlan_configure($vlan) !== $vlan['vlanif']) {
        throw new Exception("the product could not make {$vlan['vlanif']}");
    }
}

// The product has no function for it. The status tells little and the text less, so whoever asked looks at what runs. Setting what is set already
// would have all states sent again.
function hafw_pfsync_format($format) {
    exec('ifconfig pfsync0', $shown);
    if (!preg_match('/ version: ' . (int) $format . '$/m', implode("\n", $shown))) {
        exec('ifconfig pfsync0 version ' . (int) $format . ' 2>&1');
    }
}

function hafw_apply($name, $argument) {
    if ($name === 'interfaces_sync_setup') {
        interfaces_sync_setup();
    } elseif ($name === 'ifconfig pfsync0 version') {
        hafw_pfsync_format($argument);
    } elseif ($name === 'filter_configure_sync') {
        filter_configure_sync();
        clear_subsystem_dirty('filter');
    } elseif ($name === 'interface_carp_configure') {
        $vip = hafw_element(['virtualip', 'vip'], $argument);
        interface_carp_configure($vip);
    } elseif ($name === 'interface_ipalias_configure') {
        $vip = hafw_element(['virtualip', 'vip'], $argument);
        interface_ipalias_configure($vip);
    } elseif ($name === 'interface_vip_bring_down') {
        interface_vip_bring_down($argument);
    } elseif ($name === 'enable_carp') {
        function_exists('enable_carp') ? enable_carp() : set_single_sysctl('net.inet.carp.allow', '1');
    } elseif ($name === 'interfaces_carp_set_maintenancemode') {
        interfaces_carp_set_maintenancemode((bool) $argument);
    } elseif ($name === 'interface_bring_down') {
        hafw_bring_down($argument['interface'], $argument['if']);
    } elseif ($name === 'pfSense_interface_destroy') {
        does_interface_exist($argument, true) && pfSense_interface_destroy($argument);
    } elseif ($name === 'interface_lagg_configure') {
        hafw_lagg($argument);
    } elseif ($name === 'interface_vlan_configure') {
        hafw_vlan($argument);
    } elseif ($name === 'interface_configure') {
        interface_configure($argument, true);
    } elseif ($name === 'setup_gateways_monitor') {
        setup_gateways_monitor();
    } else {
        throw new Exception("no function {$name} is called here");
    }
}

require_once('config.inc');
require_once('functions.inc');
require_once('interfaces.inc');
require_once('filter.inc');
require_once('shaper.inc');

try {
    $hafw['phase'] = 'reading';
    $hafw['digest'] = hafw_load();
    if (isset($hafw['request']['revision']) && $hafw['request']['revision'] !== $hafw['digest']) {
        hafw_answer(['stale' => true]);
        exit(2);
    }
    if (!empty($hafw['request']['operations'])
        && !hafw_write($hafw['request']['operations'], $hafw['request']['description'], $hafw['digest'])) {
        hafw_answer(['stale' => true]);
        exit(2);
    }
    foreach ($hafw['request']['apply'] as $hafw_call) {
        $hafw['phase'] = "applying by {$hafw_call[0]}";
        hafw_apply($hafw_call[0], $hafw_call[1]);
        $hafw['applied'][] = $hafw_call[0];
    }
    $hafw['phase'] = 'answering';
    hafw_answer([
        'stale' => false, 'values' => array_map('hafw_get', $hafw['request']['paths']),
        'named' => hafw_named($hafw['request']['sections'], $hafw['request']['devices']),
        'functions' => array_values(array_filter($hafw['request']['functions'], 'function_exists')),
        'gateways' => $hafw['request']['gateways'] ? hafw_gateways() : null,
    ]);
} catch (Throwable $hafw_error) {
    hafw_fail(get_class($hafw_error) . ': ' . $hafw_error->getMessage() . ' in ' . $hafw_error->getFile() . ':' . $hafw_error->getLine());
}
"""
